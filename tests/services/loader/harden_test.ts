import { deepEqual, equal } from "node:assert/strict";

Deno.test("a hardened worker lets go of its ports, as it does when the NIC begins anew", async () => {
  const worker = new Worker(new URL("./hardened_probe.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  } as WorkerOptions);
  const [first, second] = [new MessageChannel(), new MessageChannel()];
  try {
    const ports = [first.port2, second.port2];
    worker.postMessage(ports, ports);
    const said = await new Promise((resolve) => {
      second.port1.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    equal(said, "done");
    // What a closed port does comes in a turn of its own.
    const late = await new Promise((resolve) => {
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
      second.port1.onmessage = ({ data }) => resolve(data);
    });
    equal(late, "still there");
  } finally {
    worker.terminate();
    first.port1.close();
    second.port1.close();
  }
});

const ERRORS = [
  ...["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError"],
  ...["TypeError", "URIError", "AggregateError", "SuppressedError", "Mine"],
];

Deno.test("what inherits from a frozen prototype can be assigned to as anywhere, and the prototype itself cannot", async () => {
  const worker = new Worker(new URL("./assign_probe.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  } as WorkerOptions);
  const { port1, port2 } = new MessageChannel();
  try {
    const said = await new Promise((resolve, reject) => {
      port1.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(port2, [port2]);
    });
    deepEqual(said, {
      outcomes: {
        ...Object.fromEntries(
          ERRORS.flatMap((kind) =>
            ["name", "message", "toString"].map((
              name,
            ) => [`${kind}'s ${name}`, "its own"])
          ),
        ),
        "an object's toString": "its own",
        "an object's constructor": "its own",
        "a function's call": "its own",
        "Object.prototype's toString": "TypeError",
        "Function.prototype's call": "TypeError",
        "Error.prototype's name": "TypeError",
        "Array.prototype's push": "TypeError",
        "a new name of Object.prototype": "TypeError",
        "a new global": "TypeError",
        "setTimeout": "TypeError",
        "Map": "TypeError",
        "undefined": "TypeError",
      },
      seen: ["Error", "y", "[object Object]", 3, 2, 0, 0, 0],
      failures: ["Error: late"],
    });
  } finally {
    worker.terminate();
    port1.close();
  }
});
