/** How parts of the output are set off from each other. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  /** One of a few colours, the same for the same number. */
  colour(text: string, index: number): string;
}

const identity = (text: string): string => text;

/** For pipes, files, and where NO_COLOR is set. */
export const plain: Style = { bold: identity, dim: identity, colour: identity };

/** Cyan, yellow, magenta, green, blue, red: of the basic 16, so that they follow the terminal's own theme. */
const COLOURS = [36, 33, 35, 32, 34, 31];

const sgr = (on: number, off: number) => (text: string): string => (text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`);

export const colours: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  colour: (text, index) => sgr(COLOURS[index % COLOURS.length]!, 39)(text),
};
