"""What pages sound like, measured at the end of the chain: alarms chime once, a call rings until it is answered."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect
from stage import Stage, Tab, tenant
from test_supervisor import CLAIMS, SALES, dial

pytestmark = pytest.mark.browser

# Whatever goes to a loudspeaker or into an element that plays is heard by an analyser too: its peak, its tone.
EARS = """(() => {
  const ears = new Map()
  window.heard = { peak: 0, tones: [], strokes: 0, states: new Set() }
  window.elements = new Set()
  const connect = AudioNode.prototype.connect
  AudioNode.prototype.connect = function (to, ...more) {
    const given = connect.call(this, to, ...more)
    if (to instanceof AudioDestinationNode || to instanceof MediaStreamAudioDestinationNode) {
      let ear = ears.get(this.context)
      if (!ear) {
        ear = this.context.createAnalyser()
        ear.fftSize = 4096
        ear.smoothingTimeConstant = 0
        ears.set(this.context, ear)
      }
      connect.call(this, ear)
    }
    return given
  }
  const play = HTMLMediaElement.prototype.play
  HTMLMediaElement.prototype.play = function () {
    window.elements.add(this)
    return play.call(this)
  }
  let loud = false
  setInterval(() => {
    for (const [context, ear] of ears) {
      window.heard.states.add(context.state)
      const wave = new Float32Array(ear.fftSize), bins = new Float32Array(ear.frequencyBinCount)
      ear.getFloatTimeDomainData(wave)
      ear.getFloatFrequencyData(bins)
      const peak = Math.max(...wave.map(Math.abs))
      window.heard.peak = Math.max(window.heard.peak, peak)
      if (peak > 0.05 && !loud) window.heard.strokes++
      loud = peak > 0.05
      if (loud) {
        const best = bins.indexOf(Math.max(...bins))
        window.heard.tones.push(Math.round(best * context.sampleRate / ear.fftSize))
      }
    }
  }, 40)
})()"""

HEARD = """() => JSON.stringify({ ...window.heard, states: [...window.heard.states],
  playing: [...window.elements].filter((one) => one.srcObject && !one.paused && one.currentTime > 0).length })"""


def with_ears(stage: Stage, name: str, **more: Any) -> Tab:
    tab = stage.browser(name, sign_in=False, **more)
    tab.context.add_init_script(EARS)
    return tab


def heard(tab: Tab) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(tab.page.evaluate(HEARD))
    return told


def near(tones: list[int], hertz: int) -> bool:
    return any(abs(one - hertz) < 25 for one in tones)


def house() -> dict[str, Any]:
    made = tenant()
    made["queues"]["claims"]["thresholds"] = {"waiting": {"warn": 1, "alarm": 1}}
    return made


def test_an_alarm_chimes_once_and_a_muted_one_not_at_all() -> None:
    with Stage(house()) as stage:
        chief = with_ears(stage, "chief")
        chief.sign_in(path="/wallboard")
        mute = with_ears(stage, "chief")
        mute.sign_in(path="/alarms")
        mute.page.get_by_role("button", name="Mute all").click()
        expect(mute.page.get_by_role("button", name=re.compile("Sound again")).first).to_be_visible()
        assert heard(chief)["peak"] == 0
        dial(stage, chief, CLAIMS)
        chief.until("the chime", lambda: heard(chief)["peak"] > 0.1, 40.0)
        chief.page.wait_for_timeout(3000)
        told = heard(chief)
        assert told["states"] == ["running"]
        assert near(told["tones"], 660), told
        assert near(told["tones"], 880), told
        assert told["strokes"] <= 2, "two notes, once"
        expect(mute.page.locator("article[data-queue=claims]")).to_have_attribute("data-level", "alarm")
        assert heard(mute)["peak"] == 0, "muted is silent"


def test_a_call_rings_until_it_is_answered() -> None:
    with Stage(house()) as stage:
        alice = with_ears(stage, "alice")
        alice.context.grant_permissions(["microphone"])
        alice.sign_in()
        alice.page.keyboard.press("Shift+F4")
        expect(alice.page.locator("header button").first).to_contain_text("Ready")
        assert heard(alice)["peak"] == 0
        dial(stage, alice, SALES)
        alice.until("the bell", lambda: heard(alice)["strokes"] >= 2, 30.0)
        told = heard(alice)
        assert told["playing"] >= 1, "the bell's own element plays, at the ringer that was chosen"
        assert near(told["tones"], 660) or near(told["tones"], 880), told
        alice.page.keyboard.press("F2")
        expect(alice.page.locator("header button").first).to_contain_text("In call")
        alice.page.wait_for_timeout(500)
        before = heard(alice)["strokes"]
        alice.page.wait_for_timeout(3000)
        assert heard(alice)["strokes"] == before, "it rings no longer"
