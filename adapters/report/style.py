"""The look of the page: one style sheet, no font, picture or script from anywhere."""

from __future__ import annotations

import base64
import hashlib

CSS = """
:root{--ink:#1b1f24;--soft:#4d5662;--line:#d5dae0;--tint:#f4f6f8;--blue:#0b4f6c;--waste:#7a4300;--risk:#9b1c1c;
--paper:#fff}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#aab4c0;--line:#39424d;--tint:#1d232a;
--blue:#7cc4e4;--waste:#e8ac63;--risk:#ff9b94;--paper:#14181d}}
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
header,main,nav,footer{max-width:62rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
.kicker{margin:0;font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--blue)}
h1{margin:.1rem 0 .4rem;font-size:2.1rem;line-height:1.2;font-weight:650;letter-spacing:-.01em}
h2{margin:0 0 .6rem;font-size:1.35rem;line-height:1.3;font-weight:650}
h3{margin:1.6rem 0 .4rem;font-size:1.05rem;line-height:1.35}
p{margin:.5rem 0;max-width:46rem}
section{padding:1.5rem 0 0;border-top:1px solid var(--line);margin-top:1.6rem}
#summary{border-top:0;margin-top:0;padding-top:.5rem}
a{color:var(--blue);text-underline-offset:.15em}
a:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
body.plain main{padding-top:1rem;padding-bottom:2rem}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem 1rem}
.meta,.note{color:var(--soft);font-size:.9rem}
.meta{max-width:none}
.lead{font-size:1.2rem;line-height:1.45;margin:1rem 0 1.2rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.9rem 0 0;padding:.7rem 0;
font-size:.9rem;border:solid var(--line);border-width:1px 0}
.cards{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:.9rem;margin:1rem 0;padding:0;list-style:none}
.cards li{border:1px solid var(--line);border-top:4px solid var(--risk);border-radius:3px;
padding:.7rem .9rem .8rem}
.cards li.waste{border-top-color:var(--waste)}
.cards .tag{display:block;font-size:.75rem;font-weight:700;letter-spacing:.07em;text-transform:uppercase;
color:var(--risk)}
.cards .waste .tag{color:var(--waste)}
.cards .figure{display:block;font-size:2rem;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}
.cards .what{display:block;font-size:.92rem;line-height:1.4}
.cards .step{display:block;margin-top:.4rem;font-size:.85rem;color:var(--soft)}
.dont{border:1px solid var(--risk);border-left-width:6px;border-radius:3px;padding:.5rem 1rem;margin:1rem 0}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 2.2rem}
.two>div{min-width:0}
.two h3{margin:.9rem 0 .4rem;font-size:.88rem;font-weight:400;color:var(--soft)}
.two ol{margin:.2rem 0;padding-left:1.3rem}
.two table{margin-bottom:.4rem}
.two th,.two td{padding-top:.3rem;padding-bottom:.3rem}
table{border-collapse:collapse;width:100%;font-size:.94rem;margin:.9rem 0 1.1rem}
caption{text-align:left;color:var(--soft);font-size:.88rem;padding-bottom:.4rem}
th,td{padding:.5rem .8rem .5rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th,thead th.n{white-space:normal}
thead th{font-size:.82rem;color:var(--soft);font-weight:600;border-bottom:2px solid var(--ink);
vertical-align:bottom}
tbody th{font-weight:600}
th:last-child,td:last-child{padding-right:.2rem}
th.n,td.n{padding-left:.6rem;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
#standing tbody th{width:52%}
#reasons td code,#samples td:nth-child(2){white-space:nowrap}
#samples caption{color:var(--ink);font-weight:600}
#samples tbody th{max-width:10rem}
td .means,th .means{display:block;font-weight:400;font-size:.88rem;color:var(--soft);line-height:1.4}
.answer{font-weight:600;font-size:.88rem}
svg.bar{display:block;width:100%;max-width:30rem;height:14px;margin:.35rem 0 .45rem}
svg.key{width:1.6em;height:.8em;vertical-align:-.05em;margin-right:.35em}
svg.defs{position:absolute}
.blue{fill:var(--blue)}
.paper{fill:var(--paper)}
.rim{stroke:var(--blue)}
.legend{font-size:.86rem;color:var(--soft)}
.legend span{margin-right:1.2rem;white-space:nowrap}
code{font:.86em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
overflow-wrap:anywhere}
.facts{margin:.5rem 0}
.facts div{display:grid;grid-template-columns:14rem 1fr;gap:.2rem 1rem;padding:.32rem 0;
border-bottom:1px solid var(--line)}
.facts dt{color:var(--soft)}
.facts dd{margin:0;min-width:0}
ul{padding-left:1.2rem}
li{margin:.25rem 0;max-width:46rem}
nav li,.cards li{margin:0;max-width:none}
blockquote{margin:.9rem 0;padding-left:1rem;border-left:3px solid var(--line)}
blockquote p{margin:0}
blockquote footer{max-width:none;margin:0;padding:0;font-size:.88rem}
footer{padding-top:1.2rem;padding-bottom:3rem;font-size:.9rem;color:var(--soft)}
footer strong{color:var(--ink)}
#next-steps h3{margin-top:1.8rem}
#next-steps td:last-child{min-width:11rem}
@media (max-width:56rem){.cards{grid-auto-flow:row;grid-template-columns:repeat(2,1fr)}.two{grid-template-columns:1fr}}
@media screen and (max-width:40rem){
header,main,nav,footer{padding-left:1rem;padding-right:1rem}
header{padding-top:1.4rem}
h1{font-size:1.6rem}
.cards{gap:.6rem}
.cards li{padding:.5rem .7rem .6rem}
.cards .what{font-size:.86rem}
#next-steps td:last-child{min-width:0}
.facts div{grid-template-columns:1fr;gap:0}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,tbody th,td,caption{display:block}
tr{padding:.6rem 0;border-bottom:1px solid var(--line)}
tbody th,td,tbody th.n,td.n{border:0;padding:.1rem 0;text-align:left;white-space:normal}
td{display:grid;grid-template-columns:8.5rem 1fr;gap:.6rem}
td::before{content:attr(data-label);color:var(--soft);font-size:.86rem}
td.n{font-weight:600}
td.n::before{font-weight:400}
.two table{display:table}
.two thead{display:table-header-group;position:static;clip-path:none}
.two caption{display:table-caption}
.two tbody{display:table-row-group}
.two tr{display:table-row}
.two th,.two tbody th,.two td,.two td.n{display:table-cell;
padding:.3rem .4rem .3rem 0;border-bottom:1px solid var(--line)}
.two th.n,.two td.n{text-align:right}
.two td::before{content:none}
}
@page{size:A4;margin:13mm 13mm 14mm;
@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif}}
@media print{
body{font-size:9pt;line-height:1.36}
header,main,nav,footer{max-width:none;padding-left:0;padding-right:0}
header{padding-top:0}
nav,.skip{display:none}
p,li{max-width:none;margin:.25rem 0;orphans:3;widows:3}
h1{font-size:17pt;margin-bottom:.2rem}
h2{font-size:12.5pt;margin-bottom:.3rem}
h3{font-size:9.5pt;margin:.6rem 0 .2rem}
.lead{font-size:11pt;margin:.4rem 0 .5rem}
.cards{grid-auto-flow:column;grid-auto-columns:1fr;grid-template-columns:none;gap:.4rem;margin:.4rem 0}
.cards li{padding:.35rem .5rem .4rem}
.cards .figure{font-size:15pt}
.cards .what,.cards .step{font-size:7.8pt;margin-top:.15rem}
.dont{padding:.25rem .7rem;margin:.4rem 0}
h2,h3,caption,thead,.legend,h2+p{break-after:avoid}
section{padding-top:.6rem;margin-top:.6rem}
table{font-size:8pt;margin:.3rem 0 .5rem}
th,td{padding:.16rem .5rem .16rem 0}
#next-steps h3{margin-top:.7rem}
td .means,th .means,.answer,.note,.meta,caption{font-size:7.8pt}
.facts div{padding:.12rem 0}
blockquote{margin:.4rem 0}
footer{padding-top:.5rem;padding-bottom:0;font-size:8pt}
p,tr,.cards li,.dont,.facts div,blockquote{break-inside:avoid}
#samples table{break-inside:avoid}
thead{display:table-header-group}
a{color:inherit}
a[href^="https"]::after{content:" <" attr(href) ">";font-size:7.5pt;overflow-wrap:anywhere}
}
""".strip()

_DIGEST = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()

CONTENT_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
"""The browser itself refuses anything but this one style sheet, whatever a record's text may hold."""
