/** What nobody caught in a service's own domain. */

/** Has `fail` hear of what nobody caught: told like every other failure, in one line and not with a stack. */
export function onUnhandled(fail: (error: unknown) => void): void {
  const scope = globalThis as unknown as {
    onunhandledrejection: ((event: PromiseRejectionEvent) => void) | null;
  };
  scope.onunhandledrejection = (event) => {
    event.preventDefault();
    fail(event.reason);
  };
}
