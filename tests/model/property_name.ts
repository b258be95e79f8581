/** The name of the model's one property. */
export const PROPERTY =
  "whatever is done, holders get, send and keep exactly what the reference model says";
