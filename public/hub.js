/*
  Comfort only: every page and form works without this file.
*/
"use strict";

(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* Says something to people who cannot see it change. */
  const speaker = document.createElement("p");
  speaker.className = "sr-only";
  speaker.setAttribute("role", "status");
  document.body.append(speaker);
  const say = (text) => { speaker.textContent = ""; requestAnimationFrame(() => { speaker.textContent = text; }); };

  /* Copy buttons. Where the clipboard is closed (plain http) the text is selected, ready for the keyboard. */
  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      select(element);
      try { return document.execCommand("copy"); } catch { return false; }
    }
  };

  for (const button of all("[data-copy]")) {
    const words = button.textContent;
    button.addEventListener("click", async () => {
      const done = await copy(document.getElementById(button.dataset.copy));
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      say(button.textContent);
      setTimeout(() => { button.textContent = words; }, 2000);
    });
  }

  /* A link to something that is folded unfolds it. */
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!(target instanceof HTMLDetailsElement)) return;
    target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  /* Relative times stay true while a page is left open. */
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["h", 3600], ["min", 60]];
  const spell = (seconds) => {
    const size = Math.abs(seconds);
    if (size < 45) return seconds < 0 ? "now" : "just now";
    const [unit, length] = units.find(([, length]) => size >= length) ?? ["min", 60];
    const count = Math.max(1, Math.floor(size / length));
    if (unit === "day" && count === 1) return seconds < 0 ? "tomorrow" : "yesterday";
    const amount = `${count} ${unit}${unit.length > 3 || unit === "day" ? (count === 1 ? "" : "s") : ""}`;
    return seconds < 0 ? `in ${amount}` : `${amount} ago`;
  };
  const refresh = () => {
    for (const time of all("time[datetime]")) {
      const moment = Date.parse(time.dateTime);
      if (!Number.isNaN(moment)) time.textContent = spell(Math.round((Date.now() - moment) / 1000));
    }
  };
  setInterval(refresh, 30000);

  /* Filters apply as soon as one is chosen. */
  for (const form of all("form[data-auto-submit]")) {
    form.addEventListener("change", (event) => {
      if (event.target.matches("select, input[type=date]")) form.requestSubmit();
    });
    form.addEventListener("formdata", (event) => {
      for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
    });
  }

  /* One click, one request. A page brought back by the back button can be sent again. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    for (const button of all("button:not([type=button])", form)) button.setAttribute("aria-disabled", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of all("button[aria-disabled]", form)) button.removeAttribute("aria-disabled");
    }
  });

  /* Passwords can be looked at while they are typed. */
  for (const input of all("input[type=password]")) {
    const focused = document.activeElement === input;
    const shell = document.createElement("span");
    shell.className = ["reveal", ...["short", "medium"].filter((width) => input.classList.contains(width))].join(" ");
    input.replaceWith(shell);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show";
    button.setAttribute("aria-controls", input.id);
    button.setAttribute("aria-pressed", "false");
    const label = document.querySelector(`label[for="${CSS.escape(input.id)}"]`);
    if (label) button.setAttribute("aria-label", `Show ${label.textContent}`);
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.textContent = shown ? "Show" : "Hide";
      button.setAttribute("aria-pressed", String(!shown));
    });
    shell.append(input, button);
    if (focused) input.focus();
  }

  /* The gallery narrows while one types. */
  for (const input of all("[data-narrows]")) {
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const item of all(`.${input.dataset.narrows}`)) item.hidden = !item.dataset.words.toLowerCase().includes(wanted);
      for (const group of all(".group")) group.hidden = all(`.${input.dataset.narrows}`, group).every((item) => item.hidden);
    });
  }

  /* What a wildcard takes in is said while one chooses, and how many kinds of events that makes. */
  for (const picker of all("[data-picker]")) {
    const boxes = all(".pick input", picker);
    const kinds = boxes.filter((box) => !box.value.endsWith("*"));
    const everything = picker.querySelector('input[value="*"]');
    const told = picker.querySelector("[data-picked]");
    const tell = () => {
      const wild = boxes.filter((box) => box.checked && box.value.endsWith(".*")).map((box) => box.value.slice(0, -1));
      const covers = (box) => everything.checked || wild.some((start) => box.value !== `${start}*` && box.value.startsWith(start));
      for (const box of boxes) box.closest(".pick").classList.toggle("is-covered", covers(box));
      const count = kinds.filter((box) => box.checked || covers(box)).length;
      told.textContent = everything.checked ? "All events, later ones too" : `${count} of ${kinds.length} kinds chosen`;
    };
    picker.addEventListener("change", tell);
    tell();
  }

  /* The appearance changes at once; the server remembers it. */
  for (const form of all("form[data-theme-form]")) {
    form.addEventListener("change", async (event) => {
      const before = document.documentElement.dataset.theme;
      document.documentElement.dataset.theme = event.target.value;
      try {
        const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        if (!answer.ok) throw new Error(String(answer.status));
        say("Appearance saved");
      } catch {
        document.documentElement.dataset.theme = before;
        for (const choice of all("[name=theme]", form)) choice.checked = choice.value === before;
        say("Appearance could not be saved");
      }
    });
  }

  /* While the database is away the page asks again, and goes on when it is back. */
  for (const place of all("[data-retry]")) {
    setInterval(async () => {
      try { if ((await fetch(location.href, { method: "HEAD" })).ok) location.reload(); } catch { /* still away */ }
    }, Math.max(2, Number(place.dataset.retry)) * 1000);
  }

  /* Two minutes before an idle session ends one can stay, without losing what was typed. */
  const idle = Number(document.body.dataset.idle);
  if (idle > 180) {
    const notice = document.createElement("div");
    notice.className = "stay";
    notice.hidden = true;
    notice.setAttribute("role", "alert");
    const text = document.createElement("span");
    const button = document.createElement("button");
    button.className = "button";
    button.textContent = "Stay signed in";
    notice.append(text, button);
    document.body.append(notice);
    let timer = 0;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        text.textContent = "You will be signed out in 2 minutes.";
        notice.hidden = false;
        timer = setTimeout(() => {
          text.textContent = "You have been signed out. Copy what you typed before you sign in again.";
          button.hidden = true;
        }, 120000);
      }, (idle - 120) * 1000);
    };
    button.addEventListener("click", async () => {
      try {
        if ((await fetch(location.href, { method: "HEAD", cache: "no-store" })).ok) { notice.hidden = true; wait(); }
      } catch { text.textContent = "The hub does not answer. Try again."; }
    });
    wait();
  }
})();
