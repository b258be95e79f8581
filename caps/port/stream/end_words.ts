/** How the process of a service has ended, as the system is told of it. */

/** `its process ended with code 3`; a signal, by its number or name, says more than a code. */
export function endWords(code: number, signal?: number | string): string {
  return signal === undefined
    ? `its process ended with code ${code}`
    : `its process was ended by signal ${signal}`;
}
