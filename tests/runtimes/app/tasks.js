/** What every runtime must answer alike: two tasks on one text, as one line of JSON, and which product did it. */
export async function runTasks(loadEncoder, models, options = {}) {
  const encoder = await loadEncoder(`${models}/mtpf-minilm-l6`, options);
  await encoder.addAdapter("people", `${models}/adapters/wikigold`);
  await encoder.addAdapter("intent", `${models}/adapters/banking77`);
  const results = await encoder.run("My card was stolen in Warsaw, please block it. Marie Curie", ["people", "intent"]);
  const { kernel } = encoder.info;
  encoder.dispose();
  return { kernel, results };
}
