// asc transform for the reference module: writes the `as-bind_bindings` section that the as-bind 0.8 runtime reads.
//
// as-bind ships a transform of its own, but it loads the compiler through CommonJS `require`, which AssemblyScript has not
// offered since 0.20. The section is JSON:
//   typeIds            { "~lib/typedarray/Float32Array": { id, byteSize }, … }   every managed type in a signature
//   importedFunctions  {}                                                        the reference module imports none
//   exportedFunctions  { name: { returnType, parameters } }
import { CommonFlags, NodeKind } from "assemblyscript";
import { Transform } from "assemblyscript/transform";

/** The name as-bind looks converters up by: the class for a managed type, the plain name for a number. */
function typeName(type) {
  return type.getClass()?.internalName ?? type.toString();
}

export default class AsBindTransform extends Transform {
  afterCompile(module) {
    const typeIds = {};
    const exportedFunctions = {};
    for (const element of this.program.elementsByDeclaration.values()) {
      const isExported = element.declaration.kind === NodeKind.FunctionDeclaration && element.is(CommonFlags.ModuleExport);
      if (!isExported || element.internalName.startsWith("~")) continue;
      const { returnType, parameterTypes } = element.instances.get("").signature;
      exportedFunctions[element.name] = { returnType: typeName(returnType), parameters: parameterTypes.map(typeName) };
      for (const type of [returnType, ...parameterTypes]) {
        const managed = type.getClass();
        if (managed !== null) typeIds[managed.internalName] = { id: managed.id, byteSize: managed.nextMemoryOffset };
      }
    }
    const section = JSON.stringify({ typeIds, importedFunctions: {}, exportedFunctions });
    module.addCustomSection("as-bind_bindings", new TextEncoder().encode(section));
  }
}
