/** A module of bench/mtpf, which has no types. */
export const benchModule = (name: string) => import(new URL(`../../bench/mtpf/${name}.mjs`, import.meta.url).href);
