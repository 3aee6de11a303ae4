// What every row of the table of runtimes measures: two tasks of this text, and the intent that is right.

/** 32 tokens with the two special ones. */
export const TEXT = "I'm trying to transfer money to another country. It's just pending and not sending. My account details are correct. Please help me.";
export const LABEL = "pending_transfer";
