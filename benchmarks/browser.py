"""What the supervisor's pages cost in Chromium: 50 queues and 1,000 agents at 50 events a second.

The house is that of `benchmarks.web`: a real desk, ledger and web server in a process of its own. Each page is opened
anew, left alone until it stands, then watched: the JavaScript heap, every animation frame that took longer than 50 ms
(Chromium's own long-animation-frame entries: from its begin to what it has painted), the share of a core that its main
thread used. On the floor the cells are scrolled all the while, as one does who looks for somebody. What disturbs the
machine disturbs the frames: the share of the frames that were late for want of a core is told by `steal`, frames that
took longer than 50 ms although script, style and layout together took less.
"""

import asyncio
import shutil
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright

from benchmarks.web import AGENTS, EVENTS, QUEUES, TALK, running

PAGES = {
    "wallboard": "/wallboard",
    "wall": "/wall",
    "floor, scrolled": "/floor",
    "one agent": "/floor/a7",
    "queue": "/queues/q0",
    "alarms": "/alarms",
}
SECONDS = 25.0
SETTLE = 6.0
HEAP, FRAME = 60.0, 50.0

WATCH = """() => {
  window.frames_ = [];
  new PerformanceObserver(list => {
    for (const one of list.getEntries()) {
      const scripts = one.scripts.reduce((sum, each) => sum + each.duration, 0);
      const drawn = one.styleAndLayoutStart ? one.startTime + one.duration - one.styleAndLayoutStart : 0;
      window.frames_.push({duration: one.duration, work: scripts + drawn,
        scripts: one.scripts.map(each => [each.invoker, each.sourceURL.split('/').pop(), Math.round(each.duration)])});
    }
  }).observe({type: 'long-animation-frame', buffered: false});
  window.count_ = 0;
  const beat = () => { window.count_++; requestAnimationFrame(beat); };
  requestAnimationFrame(beat);
}"""

SCROLL = """seconds => new Promise(done => {
  const box = [...document.querySelectorAll('[role=region]')].find(one => one.scrollHeight > one.clientHeight + 200);
  const until = performance.now() + seconds * 1000;
  let way = 12;
  const step = () => {
    if (box) {
      box.scrollTop += way;
      if (box.scrollTop + box.clientHeight >= box.scrollHeight - 2 || box.scrollTop <= 0) way = -way;
    }
    if (performance.now() < until) requestAnimationFrame(step); else done();
  };
  step();
})"""


async def metrics(cdp: CDPSession) -> dict[str, float]:
    found = await cdp.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


async def watched(browser: Browser, address: str, cookie: str, path: str) -> dict[str, Any]:
    """One page, `SECONDS` long."""
    size = (1920, 1080) if path == "/wall" else (1280, 800)
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    await context.add_cookies([{"name": "centrala", "value": cookie, "url": address}])
    page: Page = await context.new_page()
    try:
        cdp = await context.new_cdp_session(page)
        await cdp.send("Performance.enable")
        await page.goto(address + path)
        await page.locator("[data-queue], [data-agent]").first.wait_for(timeout=60_000)
        await page.wait_for_timeout(SETTLE * 1000)
        await page.evaluate(WATCH)
        before = await metrics(cdp)
        peak = 0.0
        scrolling = asyncio.create_task(page.evaluate(SCROLL, SECONDS)) if path == "/floor" else None
        for _ in range(int(SECONDS)):
            await asyncio.sleep(1.0)
            peak = max(peak, (await metrics(cdp))["JSHeapUsedSize"])
        if scrolling is not None:
            await scrolling
        after = await metrics(cdp)
        frames = await page.evaluate("() => window.frames_")
        count = await page.evaluate("() => window.count_")
        await cdp.send("HeapProfiler.collectGarbage")
        kept = (await metrics(cdp))["JSHeapUsedSize"]
        wall = after["Timestamp"] - before["Timestamp"]
        long = [one for one in frames if one["duration"] > FRAME]
        return {
            "path": path,
            "heap_peak_MB": peak / 1e6,
            "heap_after_gc_MB": kept / 1e6,
            "frames_per_second": count / wall,
            "frames_over_50_ms": len(long),
            "of_them_by_own_work": sum(one["work"] > FRAME for one in long),
            "steal": sum(one["work"] <= FRAME for one in long),
            "longest_frame_ms": max((one["duration"] for one in frames), default=0.0),
            "longest_own_work_ms": max((one["work"] for one in frames), default=0.0),
            "share_of_a_core": (after["TaskDuration"] - before["TaskDuration"]) / wall,
            "script_share": (after["ScriptDuration"] - before["ScriptDuration"]) / wall,
            "layout_share": (after["LayoutDuration"] - before["LayoutDuration"]) / wall,
            "dom_nodes": after["Nodes"],
            "worst": sorted(long, key=lambda one: -one["duration"])[:3],
        }
    finally:
        await context.close()


async def supervisors_pages() -> dict[str, Any]:
    async with running() as at, async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        try:
            await asyncio.sleep(TALK)
            events = await at.events()
            began = asyncio.get_running_loop().time()
            found = {
                name: await watched(browser, at.address, at.cookies[0], path) for name, path in PAGES.items()
            }
            pace = (await at.events() - events) / (asyncio.get_running_loop().time() - began)
        finally:
            await browser.close()
    return {"queues": QUEUES, "agents": AGENTS, "events_per_second": pace, "pages": found}


def run() -> dict[str, Any]:
    found = asyncio.run(supervisors_pages())
    figures = [
        {
            "what": "events a second while it was watched",
            "asked": f"≥ {EVENTS}",
            "measured": f"{found['events_per_second']:.0f}",
            "ok": None,
        }
    ]
    for name, page in found["pages"].items():
        figures += [
            {
                "what": f"{name}: JavaScript heap, peak and after collection",
                "asked": f"≤ {HEAP:.0f} MB",
                "measured": f"{page['heap_peak_MB']:.1f}, {page['heap_after_gc_MB']:.1f} MB",
                "ok": page["heap_peak_MB"] <= HEAP,
            },
            {
                "what": f"{name}: frames over 50 ms by the page's own work in {SECONDS:.0f} s, longest work",
                "asked": "0",
                "measured": f"{page['of_them_by_own_work']}, {page['longest_own_work_ms']:.0f} ms",
                "ok": page["of_them_by_own_work"] == 0,
            },
            {
                "what": f"{name}: frames over 50 ms by the clock, longest; share of a core",
                "asked": "0 on a machine of its own",
                "measured": f"{page['frames_over_50_ms']}, {page['longest_frame_ms']:.0f} ms;"
                f" {page['share_of_a_core']:.2f}",
                "ok": None,
            },
        ]
    return {"figures": figures, **found}
