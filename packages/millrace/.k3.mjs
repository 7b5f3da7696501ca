import { gptStep } from "/tmp/wt/proof/bench/lib/gpt.mjs";
import fs from "node:fs";
const now=()=>Number(fs.readFileSync(`/proc/self/task/${process.pid}/schedstat`,"utf8").split(" ")[0])/1e6;
const all=()=>{const c=process.cpuUsage();return (c.user+c.system)/1e3};
for(let i=0;i<(+process.argv[2]||3);i++){
const t0=now(), a0=all();
const { step, tokens, next } = gptStep(); const t1=now(), a1=all();
step.graph(tokens,next); const t2=now(), a2=all();
const l=step(tokens,next); const t3=now(); const a3=all(); await l.item(); const a4=all();
const l2=step(tokens,next);  await l2.item(); const a5=all();
console.log("main thread: model",(t1-t0).toFixed(0),"trace",(t2-t1).toFixed(0),"compile",(t3-t2).toFixed(0),"| all threads: model", (a1-a0).toFixed(0),"trace",(a2-a1).toFixed(0),"compile",(a3-a2).toFixed(0), "run1",(a4-a3).toFixed(0),"run2",(a5-a4).toFixed(0));
}
process.exit();
