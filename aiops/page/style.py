"""The style sheet: light, dark, phone and paper. No colour stands anywhere else.

Each pair of text and background has a contrast of at least 4.5 in both schemes (a test measures it).
"""

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--soft:#f4f6f8;--text:#1c2128;--dim:#57606a;--line:#d0d7de;
--link:#0a58ca;--bad:#b42318;--badbg:#fdecea;--warn:#8a5300;--warnbg:#fff4e0;--good:#19692c;
--goodbg:#e6f4ea;--info:#0b5394;--infobg:#e7f0fa;--observed:#c4281b;--expected:#57606a;--band:#cfdcec}
@media(prefers-color-scheme:dark){:root{--bg:#0f1318;--soft:#181e25;--text:#e6edf3;--dim:#9aa7b4;
--line:#323b45;--link:#79b8ff;--bad:#ff9a8f;--badbg:#3b1613;--warn:#f2c063;--warnbg:#35270b;
--good:#7ed492;--goodbg:#12301b;--info:#8fc4ff;--infobg:#122a44;--observed:#ff7b6e;
--expected:#9aa7b4;--band:#27364a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;max-width:76rem;padding:1.2rem 1.2rem 3rem;background:var(--bg);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:.2rem 0 .3rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1.08rem;margin:0;line-height:1.35}
h4{font-size:.82rem;margin:1.1rem 0 .35rem;color:var(--dim);text-transform:uppercase;letter-spacing:.04em}
p{margin:.35rem 0}a{color:var(--link)}
.dim{color:var(--dim)}.small{font-size:.86rem}
code{font:.88em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.tiles{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0}
.tile{background:var(--soft);border:1px solid var(--line);border-radius:8px;padding:.45rem .8rem;
min-width:6.2rem}
.tile b{display:block;font-size:1.45rem;line-height:1.2;font-variant-numeric:tabular-nums}
.tile span{font-size:.84rem;color:var(--dim)}
.badge{display:inline-block;border-radius:4px;padding:0 .42em;font-size:.84rem;font-weight:600;
white-space:nowrap;background:var(--soft);color:var(--dim)}
.bad{background:var(--badbg);color:var(--bad)}.warn{background:var(--warnbg);color:var(--warn)}
.good{background:var(--goodbg);color:var(--good)}.info{background:var(--infobg);color:var(--info)}
.tile.bad b{color:var(--bad)}.tile.bad span{color:var(--bad)}.tile.bad{border-color:var(--bad)}
.note{border-left:4px solid var(--bad);background:var(--badbg);padding:.5rem .8rem;margin:.6rem 0;
border-radius:0 6px 6px 0}
.note.warn{border-color:var(--warn);background:var(--warnbg);color:var(--text)}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{text-align:left;font-size:.8rem;color:var(--dim);font-weight:600;padding:.3rem .6rem .3rem 0;
border-bottom:1px solid var(--line)}
td{padding:.34rem .6rem .34rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.num,th.num{padding-right:1rem}
.name{font-weight:600}@media(min-width:900px){.fleet .name{min-width:21rem}}
article{border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem 1.1rem;margin:0 0 1.2rem}
.badges{margin:.35rem 0;display:flex;flex-wrap:wrap;gap:.35rem}
.lead{font-size:1.02rem;margin:.5rem 0}
.edit{background:var(--soft);border-radius:6px;padding:.5rem .7rem;margin:.4rem 0}
.edit del{color:var(--bad);text-decoration:line-through}.edit ins{color:var(--good);text-decoration:none;
font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:.8rem 1.4rem;
margin-top:.8rem}
figure{margin:0}figcaption{font-size:.88rem;margin-bottom:.15rem}
svg.chart{display:block;width:100%;max-width:34rem;height:auto}
.chart path{fill:none;stroke-width:1}
.chart text{font-size:11px;fill:var(--dim)}
.chart .end{text-anchor:end}.chart .mid{text-anchor:middle}.chart .start{text-anchor:start}
.chart .mark{fill:var(--text)}
.chart .grid{stroke:var(--line);stroke-width:.6}
.chart .band{fill:var(--band)}
.chart .expected{stroke:var(--expected);stroke-width:1.3;stroke-dasharray:4 3}
.chart .observed{stroke:var(--observed);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.chart .onset{stroke:var(--text);stroke-width:1;stroke-dasharray:2 2}
.calendar a{text-decoration:none}.calendar .day{fill:none;stroke:var(--line);stroke-width:1}
.chart rect.good{fill:var(--goodbg);stroke:var(--good)}.chart rect.bad{fill:var(--badbg);stroke:var(--bad)}
.chart rect.unsure{fill:var(--soft);stroke:var(--dim)}.chart text.good{fill:var(--good);font-weight:700}
.chart text.bad{fill:var(--bad);font-weight:700}.chart text.unsure{fill:var(--dim);font-weight:700}
.chart .promise{fill:var(--text)}svg.square{display:inline-block;width:1.05rem;margin:0 .3rem 0 .2rem;
vertical-align:-.2rem}.wide{overflow-x:auto}.figures{overflow-wrap:normal;white-space:nowrap}
tr:target td{background:var(--soft)}
.key{display:inline-block;width:1.5rem;height:.62rem;vertical-align:baseline;margin:0 .3rem 0 .8rem}
.key:first-child{margin-left:0}
.key path{fill:none}.key .band{fill:var(--band)}.key .ours,.chart .ours{fill:var(--link)}
.key .naive,.chart .naive{fill:var(--expected)}.chart .figure{font-size:10px}
.key .observed{stroke:var(--observed);stroke-width:2}
.key .expected{stroke:var(--expected);stroke-width:1.3;stroke-dasharray:4 3}
details{margin:.7rem 0 0}summary{cursor:pointer;color:var(--link);font-size:.92rem}
ul{margin:.3rem 0;padding-left:1.2rem}li{margin:.15rem 0}
.queries li{margin:.5rem 0}
footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.7rem}
@media(max-width:640px){body{padding:.9rem .8rem 2rem}article{padding:.8rem}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,td{display:block}tr{border-bottom:1px solid var(--line);padding:.45rem 0}
td{border:0;padding:.05rem 0}.fleet td,.rules td{display:inline;margin-right:.5rem}
.fleet td.name,.fleet td.why,.rules td.why,.told td{display:block;margin:0}
.figures{display:table;width:auto}.figures thead{display:table-header-group;position:static;clip-path:none}
.figures tbody{display:table-row-group}.figures tr{display:table-row}.figures td{display:table-cell;
padding:.3rem .6rem .3rem 0}.proposals td{display:block;margin:0}
.proposals td[data-label]::before{content:attr(data-label) " ";color:var(--dim)}
.num{text-align:left}.tile{min-width:5.2rem;flex:1 1 auto}}
@media print{.fleet .name{min-width:17rem}}
@media print{:root{--bg:#fff;--soft:#fff;--text:#000;--dim:#444;--line:#bbb;--link:#000;--bad:#a00;
--badbg:#fff;
--warn:#6a4000;--warnbg:#fff;--good:#064;--goodbg:#fff;--info:#036;--infobg:#fff;--observed:#b00;
--expected:#444;
--band:#d9e2ee}
body{max-width:none;padding:0;font-size:10pt}article{break-inside:auto;border-color:#999}
.badge,.tile{border:1px solid var(--line)}figure,tr,.edit,.tile{break-inside:avoid}
h2,h3,h4{break-after:avoid}
.chart .band,.key .band{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;display:block;block-size:auto;overflow:visible}
summary{list-style:none;color:var(--dim);font-weight:600}}
""".strip().replace("\n", "")
