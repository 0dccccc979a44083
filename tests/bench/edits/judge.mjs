// The independent reader of the edit campaign: the npm package `yaml`, which shares no code with
// the readers that the edits were made and proved with. One JSON line in, one out:
// {before, edits: [{after, changes: [{old, wanted, count}]}]} -> [reason or "", ...], or
// {before, after, added}: whether one key or list entry is new that holds this value, and nothing else.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const { parseAllDocuments, parse } = createRequire(process.argv[2])("yaml");

function documents(text) {
  return parseAllDocuments(text, { logLevel: "error" }).map((one) => {
    if (one.errors.length) throw new Error(one.errors[0].message.split("\n")[0]);
    return one.toJS({ maxAliasCount: -1 });
  });
}

const holds = (value) => value !== null && typeof value === "object";
const opens = (value) => typeof value === "string" && value.includes("\n");

// What `after` has more than `before`: [path, value] pairs; a string of YAML is opened.
function more(path, before, after) {
  if (holds(before) && holds(after) && Array.isArray(before) === Array.isArray(after)) {
    const lost = Object.keys(before).filter((key) => !(key in after));
    if (lost.length) throw new Error(`${path}: ${lost[0]} is gone`);
    return Object.keys(after).flatMap((key) =>
      key in before ? more(`${path}/${key}`, before[key], after[key]) : [[`${path}/${key}`, after[key]]],
    );
  }
  if (Object.is(before, after)) return [];
  if (opens(before) && opens(after)) return more(path, documents(before), documents(after));
  throw new Error(`${path}: ${before} became ${after}`);
}

function scalars(value) {
  if (holds(value)) return Object.values(value).flatMap(scalars);
  return opens(value) ? scalars(documents(value)) : [String(value)];
}

function addition(before, after, wanted) {
  const added = more("", documents(before), documents(after));
  if (added.length !== 1) return `${added.length} keys or entries are new`;
  const found = scalars(added[0][1]).filter((one) => one === wanted || one.endsWith(`:${wanted}`) || one.endsWith(`@${wanted}`));
  return found.length === 1 ? "" : `${added[0][0]} holds ${wanted} ${found.length} times`;
}

function leaves(text) {
  const found = [];
  const walk = (path, value) => {
    if (value !== null && typeof value === "object") {
      const keys = Object.keys(value);
      found.push([path, Array.isArray(value) ? "list" : "map", keys.join("\0")]);
      for (const key of keys) walk(`${path}/${key}`, value[key]);
    } else found.push([path, typeof value, value]);
  };
  documents(text).forEach((one, number) => walk(String(number), one));
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
  const { before, edits, after, added } = JSON.parse(line);
  if (added !== undefined) {
    let reason;
    try {
      reason = addition(before, after, added);
    } catch (error) {
      reason = error.message;
    }
    process.stdout.write(JSON.stringify([reason]) + "\n");
    continue;
  }
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
