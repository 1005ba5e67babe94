// node ops.tmp.ts WHAT ROUNDS 'ROOT|flags' ... : cpu per op by thread, in turns
import { spawn } from 'node:child_process'; import { appendFileSync, rmSync, readFileSync, readdirSync } from 'node:fs';
import { accessOf } from '#testing/access.ts';
import { LoadClient, measureRate } from '../bench/load.ts';
const what=process.argv[2]!.split(','); const rounds=Number(process.argv[3]); const variants=process.argv.slice(4);
const cm='/api/v1/namespaces/default/configmaps'; const payload='x'.repeat(1900);
const body=(name:string,labels={})=>JSON.stringify({apiVersion:'v1',kind:'ConfigMap',metadata:{name,labels:{app:'bench',...labels}},data:{payload}});
const sums=new Map<string,Map<string,number[]>>();
for(let round=0;round<rounds;round++) for(const [at,variant] of variants.entries()){
 const [root,flags='',env='']=variant.split('|'); const folder=`/tmp/w3/opsdata${at}`; rmSync(folder,{recursive:true,force:true});
 const port=String(16750+at); const args=[...(flags||'--max-semi-space-size=8 --heap-growing-percent=30').split(' '),`${root}/bin/proa.js`,'up','--data-dir',folder,'--kubeconfig',folder+'-kc','--port',port,'--nodes','0'];
 const snap=flags==='snap'; const child=spawn(snap?root+'/bin/proa.js':process.execPath,snap?args.slice(args.indexOf('up')):args,{stdio:['ignore','pipe','inherit'],env:{...process.env,...Object.fromEntries(env.split(' ').filter(Boolean).map(x=>x.split('=')))}});
 try{
 await new Promise<void>(r=>{let s='';child.stdout.on('data',d=>{if(process.env.GCOUT)appendFileSync(process.env.GCOUT,d);s+=d;if(s.includes('is ready at'))r();});});
 const access=accessOf(folder+'-kc');
 const one=new LoadClient(access,1), many=new LoadClient(access,100), reader=new LoadClient(access,64);
 let serial=0;
 await measureRate(100,what[0]==="get"?300:2500,()=>many.call("POST",cm,body(`warm-${serial++}`)));
 const threads=()=>{const m=new Map<string,number>();for(const t of readdirSync(`/proc/${child.pid}/task`)){const f=readFileSync(`/proc/${child.pid}/task/${t}/schedstat`,'utf8').split(' ');const n=readFileSync(`/proc/${child.pid}/task/${t}/comm`,'utf8').trim();m.set(n,(m.get(n)??0)+Number(f[0])/1000);}return m;};
 let turn=0; for(const x of what){
  const f:Record<string,[number,(i:number)=>Promise<unknown>]>={one:[1,()=>one.call('POST',cm,body(`n-${serial++}`))],many:[100,()=>many.call('POST',cm,body(`n-${serial++}`))],get:[64,()=>reader.call('GET',`${cm}/warm-0`)],hot:[16,i=>many.call('PATCH',`${cm}/warm-0`,JSON.stringify({data:{turn:String(i)}}),'application/merge-patch+json')],apply:[16,i=>many.call('PATCH',`${cm}/apply-${i%64}?fieldManager=bench&force=true`,JSON.stringify({apiVersion:'v1',kind:'ConfigMap',metadata:{name:`apply-${i%64}`},data:{turn:String(i)}}),'application/apply-patch+yaml')]};
  const before=threads();const me=process.cpuUsage();const [w,g]=f[x]!;const r=await measureRate(w,3000,g);const used=process.cpuUsage(me);const n=r.perSecond*3;
  const key=variant+' '+x+what.indexOf(x)+turn++; const s=sums.get(key)??new Map<string,number[]>(); sums.set(key,s);
  const put=(k:string,v:number)=>{const l=s.get(k)??[];l.push(v);s.set(k,l);};
  put('rate',r.perSecond);put('p99',r.p99Ms);put('client',(used.user+used.system)/n);let all=0;
  for(const [k,v] of threads()){const d=(v-(before.get(k)??0))/n;all+=d;put(k,d);} put('server',all);
  put('rss',Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`,'utf8'))![1])/1024);
 }
 } finally { const e=new Promise(r=>child.once('exit',r)); child.kill('SIGTERM'); await e; }
}
for(const [key,s] of sums){console.log(key);console.log('   ',[...s].map(([k,l])=>[k,l.sort((a,b)=>a-b)[l.length>>1]!] as const).filter(([,v])=>v>1).map(([k,v])=>k+' '+v.toFixed(0)).join(', '));}
process.exit(0);
