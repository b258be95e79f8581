/** The name of the one property of ports. */
export const PORTS_PROPERTY =
  "whatever is asked, sent or forged, services hear and count exactly what the reference says";
