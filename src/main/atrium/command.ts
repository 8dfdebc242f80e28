/** A command of the operator's command line. */
export interface Command {
  /** Its words, e.g. `sagas resume`. */
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** What else can be given, one line each. */
  options?: readonly string[];
  /**
   * @param args what stands behind the command's words.
   * @param say writes a line of its output.
   * @throws OperatorError for what the operator can mend.
   */
  run(args: readonly string[], say: (line: string) => void): Promise<void>;
}
