import { describeBrowser } from "./in-browser.ts";

describeBrowser("firefox");
