#!/usr/bin/env node
// The command line: `millrace --help`. Each command loads what it needs, so that help is quick.
import process from "node:process";
import { Command, CommanderError } from "commander";
import { version } from "../version.gen.js";
import { endWithReader, reportFailure } from "./output.js";

const program = new Command("millrace")
  .description("Serve, convert and look at machine-learning models.")
  .version(version, "-v, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .showHelpAfterError("(millrace --help says what there is)")
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText(
    "after",
    `
Exit codes: 0 done, 1 failed, 2 called wrongly.

Examples:
  millrace serve ./models/digits --port 8501
  millrace convert digits.keras digits.tflite --quantize dynamic
  millrace inspect digits.tflite
  millrace doctor --json`,
  );

program
  .command("serve")
  .description("answer TensorFlow Serving's REST and gRPC requests for saved models")
  .argument("[dir]", "a model: a directory of numbered versions, or a saved graph itself")
  .option("--config <file>", "several models, as JSON (docs/serving.md)")
  .option("--name <name>", "the model's name; the directory's unless given")
  .option("--host <host>", "the address to listen on", "127.0.0.1")
  .option("--port <port>", "the port of the REST API", wholeNumber, 8501)
  .option("--grpc-port <port>", "the port of the gRPC API", wholeNumber, 8500)
  .option("--no-rest", "no REST API")
  .option("--no-grpc", "no gRPC API")
  .option("--max-batch-size <rows>", "rows of requests that run together", wholeNumber)
  .option("--batch-timeout-micros <µs>", "how long a batch waits for more rows", wholeNumber)
  .option("--json", "one JSON object a line")
  .action(async (dir, options) => (await import("./commands/serve.js")).serve(dir, options));

program
  .command("convert")
  .description("turn a model into a .tflite file or a saved graph")
  .argument("<model>", "a .keras file or a saved graph's directory")
  .argument("<out>", "a path that ends in .tflite, or a directory for a saved graph")
  .option("--quantize <mode>", "dynamic: 8-bit weights, four times smaller (.tflite)")
  .option("--json", "the report as JSON")
  .action(async (model, out, options) => (await import("./commands/convert.js")).convert(model, out, options));

program
  .command("inspect")
  .description("show what is in a file: its graph, signatures and sizes")
  .argument("<file>", "any format that Millrace reads; it is told by its content")
  .option("--graph", "the whole graph as text")
  .option("--json", "as JSON")
  .action(async (file, options) => (await import("./commands/inspect.js")).inspect(file, options));

program
  .command("types")
  .description("write the signatures of saved models as TypeScript, for a typed client")
  .argument("<dir>", "a saved graph, a directory of numbered versions, or a directory of models")
  .option("-o, --out <file>", "where to write; standard output unless given")
  .action(async (dir, options) => (await import("./commands/types.js")).types(dir, options));

program
  .command("doctor")
  .description("check this machine and installation, and measure its speed, in a few seconds")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./commands/doctor.js")).doctor(options));

program
  .command("explain")
  .description("explain an error or warning code")
  .argument("<code>", "as in E_SHAPE")
  .option("--json", "as JSON")
  .action(async (code, options) => (await import("./commands/explain.js")).explain(code, options));

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new CommanderError(2, "millrace.invalidNumber", `error: "${text}" is no whole number`);
}

endWithReader(process.stdout, () => process.exit());
try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error, process.argv.includes("--json"));
}
