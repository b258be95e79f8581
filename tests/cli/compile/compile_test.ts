import { equal, match, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import wabt from "wabt";
import { STAGES } from "../../../cli/compile/options.ts";
import { runSallyport, sallyport } from "../sallyport.ts";

const DNS = "udp dst port 53 and dst host 10.77.0.2";
/** No grant: a capability stands for fixed fields. */
const FLAGS = "tcp[tcpflags] & tcp-syn != 0";

async function compiled(text: string, stage: string): Promise<string> {
  const { code, out, err } = await runSallyport(
    ["compile", text, `--emit=${stage}`],
  );
  equal(err, "");
  equal(code, 0);
  return out;
}

Deno.test("compile prints each stage of a grant", async () => {
  const [ast, ir, atoms, tree, dot, wat, ebpf] = await Promise.all(
    ["ast", "ir", "atoms", "tree", "dot", "wat", "ebpf"].map((stage) =>
      compiled(DNS, stage)
    ),
  );
  match(ast!, /^and\n {2}udp dst port 53 {2}# column 14\n {2}dst host /);
  match(ir!, /^# link type ethernet\nand\n/);
  equal(
    atoms,
    `filter 1
  frame[12:2] = 0x0800
  ipv4 header at base + 14: whole, protocol 17
  frame[30:4] = 0x0a4d0002
  base[2:2] = 0x0035
`,
  );
  match(tree!, /^switch frame\[12:2\]\n {2}0x0800\n(.*\n)* +accept slot 1\n$/);
  match(dot!, /^digraph filter \{\n(.*\n)*\}\n$/);
  match(wat!, /^\(module\n(.*\n)* {2}\(export "classify" \(func 0\)\)/);
  match(ebpf!, /^ +0: r6 = r1\n(.*\n)*.*exit\n$/);
});

Deno.test("compile prints text that is no grant as tests on every frame", async () => {
  const atoms = await compiled(FLAGS, "atoms");
  match(atoms, /^filter 1\n {2}every frame\nof those\n# link type ethernet\n/);
  const tree = await compiled(FLAGS, "tree");
  match(
    tree,
    /^grant 1.*\n {2}text\n( {4}.*\n)+ {2}accept slot 1\n {2}else reject\n$/,
  );
  match(await compiled(FLAGS, "wat"), /i32\.load8_u/);
});

Deno.test("compile --as chooses between a grant and a filter, and says what is no grant", async () => {
  const filter = await runSallyport(["compile", DNS, "--as=filter"]);
  match(filter.out, /^grant 1.*\n {2}text\n/);
  const { code, out, err } = await runSallyport(
    ["compile", `${DNS} and ${FLAGS}`, "--as", "grant"],
  );
  match(err, /^sallyport: filter, column 58: `&` .*\n.*tcp.*\n +\^\n$/);
  equal(out, "");
  equal(code, 2);
});

Deno.test("compile --emit=wasm gives the module whose text --emit=wat is", async () => {
  const { stdout } = await sallyport(["compile", FLAGS, "--emit=wasm"], {
    stdin: "null",
  }).output();
  ok(WebAssembly.validate(stdout));
  const { parseWat } = await wabt();
  const module = parseWat("ours", await compiled(FLAGS, "wat"), {
    threads: true,
  });
  const { buffer } = module.toBinary({});
  module.destroy();
  ok(Buffer.from(buffer).equals(stdout));
});

Deno.test("compile --output writes every stage to a file, and nothing else anywhere", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
  try {
    await Promise.all(STAGES.map(async (stage) => {
      const path = `${folder}/${stage}`;
      const args = [DNS, "--emit", stage, "--output", path];
      const { code, out, err } = await runSallyport(["compile", ...args]);
      equal(`${out}${err}${code}`, "0");
      ok(Deno.statSync(path).size > 20);
    }));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("compile takes the link type, and only its words", async () => {
  const cooked = ["compile", "inbound and ip", "--emit=ir", "--link=sll"];
  match((await runSallyport(cooked)).out, /^# link type sll\n/);
  const plain = await runSallyport(["compile", "inbound and ip"]);
  match(
    plain.err,
    /^sallyport: filter, column 1: .*\n {2}inbound and ip\n {2}\^\n$/,
  );
  equal(plain.code, 2);
});

for (
  const [args, problem] of [
    [[], /give a filter: sallyport compile 'tcp port 80'/],
    [["ip", "--emit=wats"], /--emit: expected ast, .*; did you mean wat\?/],
    [["ip", "--link=token"], /--link: expected ethernet, raw, .* got "token"/],
    [["host and"], /filter, column 6: /],
  ] as const
) {
  Deno.test(`compile ${args.join(" ")} is refused with what is wrong, status 2`, async () => {
    const { code, out, err } = await runSallyport(["compile", ...args]);
    match(err, problem);
    equal(out, "");
    equal(code, 2);
  });
}

Deno.test("compile says in one line what it cannot write", async () => {
  const args = ["ip", "--output", "/nonexistent/x"];
  const { code, err } = await runSallyport(["compile", ...args]);
  match(
    err,
    /^sallyport: --output "\/nonexistent\/x": cannot write it \(.*\)\n$/,
  );
  equal(code, 1);
});
