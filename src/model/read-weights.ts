import { RootstockError } from "../errors.ts";
import { toFloat32 } from "../format/floats.ts";
import { parseSafetensorsHeader, elementBytes, LENGTH_BYTES, readHeaderLength } from "../format/safetensors.ts";
import type { EncoderTensors, FloatDtype, SafetensorsFile, TensorInfo } from "../format/types.ts";
import type { ByteReader } from "../load/byte-reader.ts";
import type { LinearMemory } from "../wasm/memory.ts";
import { finite } from "./finite.ts";
import type { Placement } from "./placements.ts";
import { NORM_PARTS, LINEAR_PARTS, SCALED_INPUTS, type EncoderPlan, type NormPlace } from "./plan.ts";
import { PANEL_CHANNELS, SMALLEST_SCALE, writeBias, type LinearPlace, type TablePlace, type WeightFormat } from "./weight-format.ts";

/** Bytes of a tensor that are converted at a time while reading. */
const CHUNK_BYTES = 1 << 20;

/** Reads the header; the reader then stands at the data. @throws as `parseSafetensorsHeader`. */
export async function readHeader(reader: ByteReader, size: number, where: string): Promise<SafetensorsFile> {
  const first = await reader.read(Math.min(LENGTH_BYTES, size));
  const length = readHeaderLength(first, size, where);
  const bytes = new Uint8Array(LENGTH_BYTES + length);
  bytes.set(first);
  await reader.readInto(bytes.subarray(LENGTH_BYTES));
  return parseSafetensorsHeader(bytes, size, where);
}

/**
 * Holds a converted file's header against the plan, before there is a memory of the plan's size.
 * @throws RootstockError `tensor-unexpected`, `tensor-missing`, `tensor-shape`, `tensor-dtype`
 */
export function checkPlaces(file: SafetensorsFile, places: readonly Placement[]): void {
  const byName = new Map(places.map((place) => [place.name, place]));
  for (const [name, tensor] of file.tensors) {
    const place = byName.get(name);
    if (place === undefined) {
      throw new RootstockError("tensor-unexpected", `model.safetensors holds "${name}", which config.json does not call for. Convert the encoder again.`);
    }
    if (place.dtype !== tensor.dtype || place.shape.join() !== tensor.shape.join()) {
      throw new RootstockError(
        place.dtype === tensor.dtype ? "tensor-shape" : "tensor-dtype",
        `model.safetensors: "${name}" is ${tensor.dtype} [${tensor.shape.join(", ")}], not ${place.dtype} [${place.shape.join(", ")}] as config.json calls for. Convert the encoder again.`,
      );
    }
    byName.delete(name);
  }
  const [absent] = byName.keys();
  if (absent !== undefined) {
    throw new RootstockError("tensor-missing", `model.safetensors lacks "${absent}". Convert the encoder again.`);
  }
}

/** Copies a converted file's tensors, which `checkPlaces` has seen, to their places. @throws RootstockError `tensor-value` */
export async function copyTensors(
  reader: ByteReader,
  file: SafetensorsFile,
  memory: LinearMemory,
  places: readonly Placement[],
): Promise<void> {
  const addresses = new Map(places.map((place) => [place.name, place.address]));
  for (const [name, tensor] of file.tensors) {
    const target = memory.octets(addresses.get(name)!, tensor.end - tensor.start);
    await reader.readInto(target);
    checkContent(name, tensor, target);
  }
}

/** The kernels trust these bytes: weights of 7 bits (a relaxed dot product of 8 is undefined) and finite numbers. */
function checkContent(name: string, tensor: TensorInfo, bytes: Uint8Array): void {
  if (name.endsWith(".panels")) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    let high = 0;
    for (let i = 0; i < words.length; i++) high |= words[i]!;
    if ((high & 0x80808080) !== 0) {
      throw new RootstockError("tensor-value", `model.safetensors: "${name}" holds weights above 127. Convert the encoder again.`);
    }
    return;
  }
  if (tensor.dtype === "I8") return;
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const roleOf = rolesOf(name);
  for (let i = 0; i < floats.length; i++) {
    const role = roleOf(i);
    if (role === "integer") continue;
    const value = floats[i]!;
    if (!Number.isFinite(value)) {
      throw new RootstockError("tensor-value", `model.safetensors: "${name}" holds NaN or infinity. Convert the encoder again.`);
    }
    if (role === "number" || value >= SMALLEST_SCALE || (role === "scale" && Object.is(value, 0))) continue;
    throw new RootstockError("tensor-value", `model.safetensors: "${name}" holds the scale ${value}, which none can be. Convert the encoder again.`);
  }
}

/** A factor is above 0; a scale is so too, or 0 where all weights of its row are. */
type Role = "scale" | "factor" | "number" | "integer";

/** What each float32 of a converted tensor is. Channel terms are 8 scales, 8 biases and 8 integers a panel. */
function rolesOf(name: string): (index: number) => Role {
  if (name.endsWith(".channels")) return (index) => (["scale", "number", "integer"] as const)[(index >>> 3) % 3]!;
  const role = name.endsWith(".scales") ? "scale" : name.endsWith(".inputScale") ? "factor" : "number";
  return () => role;
}

/** Where a source tensor goes, under its canonical name. */
type Sink = (first: number, rows: Float32Array) => void;

/** Reads a Hugging Face file's tensors, rounding each as it arrives; no tensor is ever held whole. */
export async function quantizeTensors(
  reader: ByteReader,
  file: SafetensorsFile,
  source: EncoderTensors,
  memory: LinearMemory,
  plan: EncoderPlan,
  format: WeightFormat,
): Promise<void> {
  const sinks = weightSinks(memory, plan, format);
  for (const layer of plan.layers) {
    for (const part of Object.values(SCALED_INPUTS)) memory.floats(layer[part].inputScale, layer[part].depth).fill(1);
  }
  const wanted = new Map<string, string>();
  for (const [canonical, tensor] of source.tensors) wanted.set(tensor.name, canonical);
  for (const [name, tensor] of file.tensors) {
    const canonical = wanted.get(name);
    const sink = canonical === undefined ? undefined : sinks.get(canonical);
    if (sink === undefined) await skip(reader, tensor.end - tensor.start);
    else await convertRows(reader, tensor, sink);
  }
}

async function convertRows(reader: ByteReader, tensor: TensorInfo, sink: Sink): Promise<void> {
  const [rows, width] = tensor.shape.length === 2 ? (tensor.shape as [number, number]) : [1, tensor.shape[0] ?? 1];
  const rowBytes = width * elementBytes(tensor.dtype);
  const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / rowBytes / PANEL_CHANNELS)) * PANEL_CHANNELS;
  const bytes = new Uint8Array(Math.min(rows, perChunk) * rowBytes);
  const floats = new Float32Array(Math.min(rows, perChunk) * width);
  for (let first = 0; first < rows; first += perChunk) {
    const count = Math.min(perChunk, rows - first);
    const raw = bytes.subarray(0, count * rowBytes);
    await reader.readInto(raw);
    const values = toFloat32(raw, tensor.dtype as FloatDtype, floats.subarray(0, count * width));
    sink(first, finite(values, tensor));
  }
}

async function skip(reader: ByteReader, bytes: number): Promise<void> {
  const buffer = new Uint8Array(Math.min(bytes, CHUNK_BYTES));
  for (let left = bytes; left > 0; left -= buffer.length) await reader.readInto(buffer.subarray(0, Math.min(left, buffer.length)));
}

/** The canonical names of `EncoderTensors`, each with what stores its rows. */
function weightSinks(memory: LinearMemory, plan: EncoderPlan, format: WeightFormat): Map<string, Sink> {
  const sinks = new Map<string, Sink>();
  const floats = (name: string, address: number): void => {
    sinks.set(name, (first, rows) => {
      memory.f32.set(rows, (address >>> 2) + first * plan.config.embeddingSize);
    });
  };
  const vector = (name: string, address: number): void => {
    sinks.set(name, (_, values) => memory.f32.set(values, address >>> 2));
  };
  const norm = (name: string, place: NormPlace): void => {
    vector(`${name}.weight`, place.gamma);
    vector(`${name}.bias`, place.beta);
  };
  const linear = (name: string, place: LinearPlace): void => {
    sinks.set(`${name}.weight`, (first, rows) => format.packChannels(memory, place, first, rows));
    sinks.set(`${name}.bias`, (_, bias) => writeBias(memory, place, bias));
  };
  const table = (name: string, place: TablePlace): void => {
    sinks.set(name, (first, rows) => format.packTableRows(memory, place, first, rows));
  };
  table("embeddings.word.weight", plan.word);
  floats("embeddings.position.weight", plan.position);
  if (plan.type !== 0) floats("embeddings.type.weight", plan.type);
  norm("embeddings.norm", plan.embeddingNorm);
  if (plan.projection !== null) linear("embeddings.projection", plan.projection);
  for (let index = 0; index < plan.config.storedLayers; index++) {
    const layer = plan.layers[index]!;
    for (const part of LINEAR_PARTS) linear(`layer.${index}.${part}`, layer[part]);
    for (const part of NORM_PARTS) norm(`layer.${index}.${part}`, layer[part]);
  }
  if (plan.pooler !== null) linear("pooler", plan.pooler);
  return sinks;
}
