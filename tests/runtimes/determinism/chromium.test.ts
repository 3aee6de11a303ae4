import { describeBrowser } from "./in-browser.ts";

describeBrowser("chromium");
