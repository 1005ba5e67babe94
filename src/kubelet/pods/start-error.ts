/** A container could not be started. The reason is what `kubectl get pods` shows in its STATUS column. */
export class StartError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
