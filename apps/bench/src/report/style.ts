/** The theme: colours that keep apart in both themes and for colour-blind readers (after Okabe and Ito). */
export const LIGHT_THEME = `--paper:#fff;--ink:#1b1d22;--ink-soft:#656b76;--grid:#e8eaee;--rule:#c9cdd4;--tint:#f6f7f9;
--dense:#4a4f59;--c0:#0062a8;--c1:#cf4f00;--c2:#00805c;--c3:#a8508a;--c4:#8a6d00;--c5:#4b6fd0;--c6:#7a5230;`;

export const DARK_THEME = `--paper:#15171b;--ink:#e6e8ec;--ink-soft:#9ba2ae;--grid:#2a2e35;--rule:#434954;--tint:#1c1f25;
--dense:#b4bac5;--c0:#5cb6f2;--c1:#ff9357;--c2:#3ecb9f;--c3:#e59bcb;--c4:#e2c04c;--c5:#9db4ff;--c6:#d2a679;`;

/** Font of figures and tables. */
export const SANS = `system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif`;

/** The page's style. Nothing is loaded: fonts are the reader's own. */
export const PAGE_STYLE: string = `
:root{color-scheme:light dark;${LIGHT_THEME}}
@media screen and (prefers-color-scheme:dark){:root{${DARK_THEME}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.55 Charter,"Bitstream Charter","Iowan Old Style","Source Serif 4",Georgia,serif;
-webkit-text-size-adjust:100%;text-size-adjust:100%}
main,header,footer{max-width:1068px;margin:0 auto;padding:0 24px}
header{padding-top:56px}
h1{font-size:2.1rem;line-height:1.15;font-weight:600;letter-spacing:-.012em;margin:0 0 .4rem}
h2{font-size:1.65rem;line-height:1.2;font-weight:600;letter-spacing:-.008em;margin:4.2rem 0 .3rem;padding-top:1.2rem;border-top:2px solid var(--ink)}
h3{font-size:1.14rem;font-weight:600;margin:2.8rem 0 .5rem}
p,ul{max-width:44rem;margin:.6rem 0}
.meta,nav,figcaption,caption,table,.numbers,.legend,pre,details>summary{font-family:${SANS}}
.meta{color:var(--ink-soft);font-size:.82rem;line-height:1.5;margin:0}
nav{font-size:.88rem;margin:1.2rem 0 0}
nav a{margin-right:1.2rem}
a{color:var(--c0);text-decoration-thickness:1px;text-underline-offset:.15em}
.badge{font:600 .68rem/1 ${SANS};letter-spacing:.03em;text-transform:uppercase;border:1px solid currentColor;border-radius:3px;padding:.22em .45em;
color:var(--c1);vertical-align:.28em;margin-left:.6em;white-space:nowrap}
.verdict{padding-left:1.1rem}
.verdict li{margin:.45rem 0}
.verdict li::marker{color:var(--ink-soft)}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:1.2rem 2rem;margin:1.6rem 0 1.4rem;padding:0}
.numbers div{border-top:1px solid var(--rule);padding-top:.6rem}
.numbers dt{font-size:.8rem;line-height:1.35;color:var(--ink-soft);order:2}
.numbers dd{margin:0}
.numbers .value{font-size:1.75rem;line-height:1.15;font-weight:600;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.numbers .note{font-size:.8rem;color:var(--ink-soft);font-variant-numeric:tabular-nums}
.numbers div{display:flex;flex-direction:column}
.numbers .note{order:3}
figure{margin:1.6rem 0 2rem}
figcaption,caption{font-size:.82rem;line-height:1.45;color:var(--ink-soft);text-align:left}
figcaption{max-width:52rem;margin-top:.5rem}
figcaption b,caption b{color:var(--ink);font-weight:600}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:14px 18px}
.panels.two{grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr))}
.panels>div{min-width:0}
figure h4{font:600 .82rem/1.3 ${SANS};margin:1rem 0 .3rem}
.panels h4{margin-top:0}
svg.chart{--plot-background:var(--paper);display:block;max-width:100%;height:auto;font:11px/1.2 ${SANS};color:var(--ink);overflow:visible;font-variant-numeric:tabular-nums}
svg.chart text{white-space:pre}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.3rem;font-size:.82rem;margin:.2rem 0 .7rem;padding:0;list-style:none;max-width:none}
.legend svg.chart,th svg.chart{display:inline-block;vertical-align:-1px;width:20px;height:12px}
.legend .floor{display:inline-block;width:20px;border-top:1px dashed var(--ink-soft);vertical-align:4px}
.table{overflow-x:auto;margin:1.3rem 0 1.7rem;width:max-content;max-width:max(100%,calc(50vw + 490px))}
table{border-collapse:collapse;font-size:.75rem;line-height:1.3;font-variant-numeric:tabular-nums lining-nums;border-top:1.5px solid var(--ink);border-bottom:1.5px solid var(--ink)}
caption{padding-bottom:.5rem;caption-side:top}
th,td{padding:.24rem 0 .24rem .85rem;text-align:right;white-space:nowrap;font-weight:400;vertical-align:top}
th:first-child{text-align:left;padding-left:0}
th[scope=rowgroup]{text-align:left;padding-left:0;padding-right:.4rem}
thead th{white-space:normal;border-bottom:1px solid var(--ink);vertical-align:bottom;font-weight:600}
tbody+tbody tr:first-child>*{border-top:1px solid var(--grid)}
tbody tr:hover td{background:var(--tint)}
small{font-size:.88em;color:var(--ink-soft);font-weight:400}
td small.dims{display:inline-block;min-width:2.1em}
.definitions{max-width:100%}
.definitions td{text-align:left;white-space:normal;overflow-wrap:anywhere}
.definitions th{text-align:left;padding-left:0;vertical-align:top}
pre{background:var(--tint);border:1px solid var(--grid);border-radius:4px;padding:.7rem .9rem;overflow-x:auto;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.82rem;line-height:1.45;white-space:pre-wrap}
details>summary{cursor:pointer;font-size:.88rem;font-weight:600;margin-top:1.4rem}
footer{margin-top:4rem;padding-top:1rem;padding-bottom:3rem;color:var(--ink-soft);font-size:.82rem}
@media print{@page{margin:16mm}body{font-size:10.5pt}main,header,footer{max-width:none;padding:0}figure,.table,.numbers,.legend{break-inside:avoid}section+section h2{break-before:page}h2{margin-top:1.4rem}h2,h3,h4,caption,summary,.legend{break-after:avoid}
.panels{grid-template-columns:repeat(3,1fr)}.panels.two{grid-template-columns:1fr 1fr}.numbers{grid-template-columns:repeat(4,1fr)}.table{overflow:visible}table{font-size:6.6pt}th,td{padding-left:.55rem}nav{display:none}}
`;
