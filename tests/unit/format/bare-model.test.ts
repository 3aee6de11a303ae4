import { expect, it } from "vitest";
import { bareModelConfig } from "../../../src/format/bare-model.ts";

const config = (fields: object): Uint8Array => new TextEncoder().encode(JSON.stringify(fields));
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

it.each([
  ["F32", "float32"],
  ["F16", "float16"],
] as const)("an encoder's configuration becomes that of its bare model in %s, whatever it was before", (dtype, name) => {
  const made = bareModelConfig(config({ model_type: "bert", architectures: ["BertForMaskedLM"], dtype: "bfloat16", torch_dtype: "bfloat16", hidden_size: 8 }), "bert", dtype);
  expect(read(made)).toEqual({ model_type: "bert", architectures: ["BertModel"], torch_dtype: name, hidden_size: 8 });
});

it("names each family's class, and keeps a __proto__ a field", () => {
  const made = bareModelConfig(new TextEncoder().encode('{"__proto__":1}'), "xlm-roberta", "F32");
  expect(Object.getOwnPropertyNames(read(made))).toEqual(["__proto__", "architectures", "torch_dtype"]);
  expect(read(made)).toMatchObject({ architectures: ["XLMRobertaModel"] });
});
