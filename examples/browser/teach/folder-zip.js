import { zipSync } from "fflate";

/** Offers the files of a PEFT folder as NAME.zip, the folder NAME in it. */
export function offerZip(link, name, files) {
  URL.revokeObjectURL(link.href);
  // Weights do not get smaller by packing; at level 0 it takes no time.
  const folder = Object.fromEntries(Array.from(files, ([file, bytes]) => [file, [bytes, { level: 0 }]]));
  const zip = zipSync({ [name]: folder });
  link.href = URL.createObjectURL(new Blob([zip], { type: "application/zip" }));
  link.download = `${name}.zip`;
  return zip.length;
}
