// node validate.mjs FILE: holds an AsyncAPI document against the specification, by its project's own parser.
// Exit code 1: it is no valid document, or the parser has a warning about it; 2: it was not named.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const [file] = process.argv.slice(2);
if (!file) {
  console.error("Name the document: node validate.mjs asyncapi.json");
  process.exit(2);
}
const SEVERITIES = ["error", "warning", "information", "hint"];
const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf-8"), { source: file });
for (const { severity, code, path, message } of diagnostics) {
  console.log(`${SEVERITIES[severity]}: ${code}: ${path.join(".")}: ${message}`);
}
if (!document || diagnostics.some(({ severity }) => severity < 2)) {
  process.exit(1);
}
const messages = document.allMessages().all().length;
console.log(`${file}: AsyncAPI ${document.version()}, ${document.allChannels().all().length} channels, ${messages} messages`);
