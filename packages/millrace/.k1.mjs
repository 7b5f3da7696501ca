// time of phases by thread cpu
import { gptStep } from "/tmp/wt/proof/bench/lib/gpt.mjs";
const cpu=()=>{const c=process.cpuUsage();return (c.user+c.system)/1e3};
const t=[]; const mark=(n)=>t.push([n,performance.now(),cpu()]);
mark("start");
const { step, tokens, next } = gptStep(); mark("model");
step.graph(tokens,next); mark("trace");
const l=step(tokens,next); mark("call"); const v=await l.item(); mark("item");
const l2=step(tokens,next); const v2=await l2.item(); mark("second");
for(let i=1;i<t.length;i++) console.log(t[i][0].padEnd(8), (t[i][1]-t[i-1][1]).toFixed(0)+" ms wall", (t[i][2]-t[i-1][2]).toFixed(0)+" ms cpu");
process.exit();
