export { codeOf, packets } from './packets.ts';
export { advertised, answered, type GitFolder, gitFolder, inPieces } from './real-git.ts';
