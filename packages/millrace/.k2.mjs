import { gptStep } from "/tmp/wt/proof/bench/lib/gpt.mjs";
const { step, tokens, next } = gptStep();
const g=step.graph(tokens,next);
const s=String(g.graph??g); const c={};
for(const m of s.matchAll(/= (\w+)[ (]/g)) c[m[1]]=(c[m[1]]||0)+1;
console.log(s.split("\n").length, Object.entries(c).sort((a,b)=>b[1]-a[1]).slice(0,60).map(x=>x.join(":")).join(" "));
console.log(s.slice(0,3000));
process.exit();
