/** sysexits(3) EX_UNAVAILABLE: something the machine has to offer is missing, and the message says how to get it. */
export const EX_UNAVAILABLE = 69;

/** Ends the set-up with one message for the person at the terminal; it says what to do next. */
export class SetUpError extends Error {
  name = 'SetUpError';
}
