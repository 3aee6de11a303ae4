import { parseAst } from "rolldown/parseAst";

/** A node of the syntax tree (ESTree). */
export interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

export type Program = Node & { readonly body: readonly Node[] };

export function parseModule(code: string, lang: "js" | "ts" = "js"): Program {
  return parseAst(code, { lang }) as unknown as Program;
}

export const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && typeof (value as Node).type === "string";

/** Every node below `node`, and itself; not what lies in a node that `enters` refuses. */
export function* nodesOf(node: Node, enters: (node: Node) => boolean = () => true): Generator<Node> {
  yield node;
  if (!enters(node)) return;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesOf(child, enters);
  }
}

export const nameOf = (node: unknown): string | null => (isNode(node) && node.type === "Identifier" ? (node["name"] as string) : null);

/** The name at the root of `a.b[c]`. */
function rootOf(node: unknown): string | null {
  return isNode(node) && node.type === "MemberExpression" ? rootOf(node["object"]) : nameOf(node);
}

/** Calls of `eval` and `Function`. */
export function codeMakers(program: Program): string[] {
  return [...nodesOf(program)]
    .filter(({ type }) => type === "CallExpression" || type === "NewExpression")
    .map(({ callee }) => nameOf(callee) ?? "")
    .filter((name) => name === "eval" || name === "Function");
}

/** `await` outside of every function. */
export function topLevelAwaits(program: Program): number {
  const outside = nodesOf(program, ({ type }) => !/Function/.test(type));
  return [...outside].filter(({ type, ...rest }) => type === "AwaitExpression" || (type === "ForOfStatement" && rest["await"] === true)).length;
}

/** What a module imports from, and "import()" for each dynamic import. */
export function importsOf(program: Program): string[] {
  return [...nodesOf(program)].flatMap((node) => {
    if (node.type === "ImportExpression") return ["import()"];
    const source = /^(Import|Export)\w*Declaration$/.test(node.type) ? node["source"] : null;
    return isNode(source) ? [String(source["value"])] : [];
  });
}

/** Declarations of the module itself, exported ones too. */
function declarations(program: Program): Node[] {
  return program.body
    .map((statement) => (statement.type === "ExportNamedDeclaration" && isNode(statement["declaration"]) ? statement["declaration"] : statement))
    .filter(({ type }) => type === "VariableDeclaration");
}

const CHANGES = new Set(["add", "clear", "copyWithin", "delete", "fill", "pop", "push", "reverse", "set", "shift", "sort", "splice", "unshift"]);

/** State of a module that could change: variables, and constants whose content is changed somewhere. */
export function moduleState(program: Program): string[] {
  const found = declarations(program).filter(({ kind }) => kind !== "const").map(({ kind }) => String(kind));
  const names = new Set(declarations(program).flatMap((declaration) => (declaration["declarations"] as readonly Node[]).map(({ id }) => nameOf(id) ?? "")));
  const isOurs = (target: unknown): boolean => names.has(rootOf(target) ?? "?");
  for (const node of nodesOf(program)) {
    const callee = node["callee"];
    if (node.type === "AssignmentExpression" && isOurs(node["left"])) found.push(`${rootOf(node["left"])} = …`);
    if (node.type === "UpdateExpression" && isOurs(node["argument"])) found.push(`${rootOf(node["argument"])}++`);
    if (node.type === "UnaryExpression" && node["operator"] === "delete" && isOurs(node["argument"])) found.push(`delete ${rootOf(node["argument"])}…`);
    if (node.type !== "CallExpression" || !isNode(callee) || callee.type !== "MemberExpression" || !isOurs(callee["object"])) continue;
    const method = nameOf(callee["property"]) ?? "";
    if (CHANGES.has(method)) found.push(`${rootOf(callee)}.${method}()`);
  }
  return found;
}
