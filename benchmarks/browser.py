"""What the supervisor's pages cost in Chromium: 50 queues and 1,000 agents at 50 events a second.

The house is that of `benchmarks.web`: a real desk, ledger and web server in a process of its own; some agents are
paused and made ready all the while, so that there are at least 50 events a second. Each page is opened anew, left
alone until it stands, then watched: the JavaScript heap; the CPU time of each task of its main thread (a frame is
one, or a few small ones), which says what a page costs on any machine; every animation frame that took longer than
50 ms by the clock (Chromium's long-animation-frame entries), which on a machine that others use says more about
them; the share of a core. On the floor the cells are scrolled all the while, as one does who looks for somebody.
"""

import asyncio
import itertools
import json
import shutil
from typing import Any

import httpx
from playwright.async_api import Browser, CDPSession, Page, async_playwright

from benchmarks.signalling import quantile
from benchmarks.web import AGENTS, EVENTS, QUEUES, TALK, running

PAGES = {
    "wallboard": "/wallboard",
    "wall": "/wall",
    "floor, scrolled": "/floor",
    "one agent": "/floor/a7",
    "queue": "/queues/q0",
    "alarms": "/alarms",
}
TASKS = ("ThreadControllerImpl::RunTask", "RunTask")
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


def own_tasks(trace: bytes) -> list[float]:
    """ms of CPU time of each task of the page's main thread."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one.get("name") == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    tasks: dict[tuple[int, int], list[float]] = {}
    for one in events:
        place = (one.get("pid"), one.get("tid"))
        if one.get("name") in TASKS and "tdur" in one and place in mains:
            tasks.setdefault(place, []).append(one["tdur"] / 1000)
    # Other renderers idle.
    return max(tasks.values(), key=sum, default=[])


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
        await browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline", "__metadata"])
        scrolling = asyncio.create_task(page.evaluate(SCROLL, SECONDS)) if path == "/floor" else None
        for _ in range(int(SECONDS)):
            await asyncio.sleep(1.0)
            peak = max(peak, (await metrics(cdp))["JSHeapUsedSize"])
        if scrolling is not None:
            await scrolling
        after = await metrics(cdp)
        tasks = own_tasks(await browser.stop_tracing())
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
            "tasks": len(tasks),
            "tasks_over_50_ms_of_cpu": sum(one > FRAME for one in tasks),
            "longest_task_ms_of_cpu": max(tasks, default=0.0),
            "p99_task_ms_of_cpu": quantile(tasks, 0.99),
            "frames_over_50_ms": len(long),
            "longest_frame_ms": max((one["duration"] for one in frames), default=0.0),
            "share_of_a_core": (after["TaskDuration"] - before["TaskDuration"]) / wall,
            "script_share": (after["ScriptDuration"] - before["ScriptDuration"]) / wall,
            "layout_share": (after["LayoutDuration"] - before["LayoutDuration"]) / wall,
            "dom_nodes": after["Nodes"],
            "worst": sorted(long, key=lambda one: -one["duration"])[:3],
        }
    finally:
        await context.close()


async def stir(address: str, cookie: str) -> None:
    """Ten more agents a second who pause or come back: beside the calls of the house."""
    headers = {"Cookie": f"centrala={cookie}", "X-Centrala": "1"}
    async with httpx.AsyncClient(base_url=f"{address}/api/v1/floor/agents", headers=headers) as client:
        for number in itertools.count():
            agent = f"a{AGENTS - 1 - number // 2 % 90}"
            if number % 2:
                await client.post(f"/{agent}/ready")
            else:
                await client.post(f"/{agent}/pause", json={"reason": "break"})
            await asyncio.sleep(0.1)


async def supervisors_pages() -> dict[str, Any]:
    async with running() as at, async_playwright() as player:
        browser = await player.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        try:
            await asyncio.sleep(TALK)
            stirring = asyncio.create_task(stir(at.address, at.cookies[0]))
            events = await at.events()
            began = asyncio.get_running_loop().time()
            found = {
                name: await watched(browser, at.address, at.cookies[0], path) for name, path in PAGES.items()
            }
            pace = (await at.events() - events) / (asyncio.get_running_loop().time() - began)
            stirring.cancel()
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
                "what": f"{name}: main thread's tasks over 50 ms of CPU in {SECONDS:.0f} s, longest",
                "asked": "0, ≤ 50 ms",
                "measured": f"{page['tasks_over_50_ms_of_cpu']}, {page['longest_task_ms_of_cpu']:.0f} ms",
                "ok": page["tasks"] > 0 and page["tasks_over_50_ms_of_cpu"] == 0,
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
