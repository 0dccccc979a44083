// The independent reader of the edit campaign: the npm package `yaml`, which shares no code with
// the readers that the edits were made and proved with. One JSON line in, one out:
// {before, edits: [{after, changes: [{old, wanted, count}]}]} -> [reason or "", ...].
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { parseAllDocuments, parse } = createRequire(process.argv[2])("yaml");

function leaves(text) {
  const found = [];
  const walk = (path, value) => {
    if (value !== null && typeof value === "object") {
      const keys = Object.keys(value);
      found.push([path, Array.isArray(value) ? "list" : "map", keys.join("\0")]);
      for (const key of keys) walk(`${path}/${key}`, value[key]);
    } else found.push([path, typeof value, value]);
  };
  const documents = parseAllDocuments(text, { logLevel: "error" });
  documents.forEach((one, number) => {
    if (one.errors.length) throw new Error(one.errors[0].message.split("\n")[0]);
    walk(String(number), one.toJS({ maxAliasCount: -1 }));
  });
  return found;
}

function judge(before, { after, changes }) {
  const now = leaves(after);
  if (now.length !== before.length) return "the structure differs";
  const left = [...changes];
  for (let at = 0; at < now.length; at += 1) {
    const [path, type, value] = before[at];
    const [newPath, newType, newValue] = now[at];
    if (path === newPath && type === newType && Object.is(value, newValue)) continue;
    const number = left.findIndex(
      (one) => one.old === String(value) && one.wanted === String(newValue) && path === newPath &&
        newType === (one.count ? "number" : "string") && (type === newType || !one.count),
    );
    if (number < 0) return `${path}: ${type} ${value} became ${newType} ${newValue}`;
    left.splice(number, 1);
  }
  if (left.length) return `nothing became ${left[0].wanted}`;
  for (const one of changes) {
    const read = parse(one.written, { version: "1.1" });
    if (String(read) !== one.wanted || typeof read !== (one.count ? "number" : "string"))
      return `by YAML 1.1 rules ${one.written} is not ${one.wanted}`;
  }
  return "";
}

for await (const line of createInterface({ input: process.stdin })) {
  const { before, edits } = JSON.parse(line);
  let answer;
  try {
    const was = leaves(before);
    answer = edits.map((one) => {
      try {
        return judge(was, one);
      } catch (error) {
        return `after: ${error.message}`;
      }
    });
  } catch (error) {
    answer = edits.map(() => `before: ${error.message}`);
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
