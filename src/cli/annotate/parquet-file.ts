import type { FileHandle } from "node:fs/promises";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { openAnew } from "../disk.ts";
import { writeAll } from "../write-all.ts";
import type { ColumnType } from "./columns.ts";

type Element = SchemaElement & { name: string };

function element(name: string, type: ColumnType): Element {
  const repetition_type = "OPTIONAL";
  switch (type) {
    case "integer":
      return { name, repetition_type, type: "INT64" };
    case "double":
      return { name, repetition_type, type: "DOUBLE" };
    case "boolean":
      return { name, repetition_type, type: "BOOLEAN" };
    case "string":
    case "json":
      return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" };
  }
}

/** A Parquet file that is written row group by row group. */
export class ParquetFile {
  readonly #file: FileHandle;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  readonly #columns: readonly [string, ColumnType][];
  readonly #schema: Element[];

  private constructor(file: FileHandle, columns: readonly [string, ColumnType][]) {
    this.#file = file;
    this.#columns = columns;
    this.#schema = columns.map(([name, type]) => element(name, type));
    const root: SchemaElement = { name: "root", num_children: columns.length };
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema: [root, ...this.#schema], createdBy: "rootstock" });
  }

  static async open(path: string, columns: readonly [string, ColumnType][]): Promise<ParquetFile> {
    return new ParquetFile(await openAnew(path), columns);
  }

  /** @param values one list a column, all of one length */
  async addGroup(values: readonly unknown[][]): Promise<void> {
    const columnData = this.#columns.map(([name, type], index) => ({ name, data: values[index]!, statistics: type !== "json" }));
    await this.#writer.write({ columnData, rowGroupSize: Math.max(1, values[0]!.length) });
    await this.#flush();
  }

  /** Ends the file; it is on the disk then. */
  async finish(): Promise<void> {
    // Not before: the writer would take what it is given for objects and write them anew, and these are JSON already.
    for (const [index, [, type]] of this.#columns.entries()) if (type === "json") this.#schema[index]!.converted_type = "JSON";
    await this.#writer.finish();
    await this.#flush();
    await this.#file.sync();
    await this.#file.close();
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    await writeAll(this.#file, this.#bytes.getBytes(), null);
    this.#bytes.index = 0;
  }
}
