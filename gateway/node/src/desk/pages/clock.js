// Counts the clocks on a page, says when the inbox has changed, and takes content off the screen once the session is over.
// Without it every page says the same at the moment it is loaded.
"use strict";
const page = document.body.dataset;
const ahead = Number(page.now || Date.now()) - Date.now();

function span(minutes) {
  const days = Math.floor(minutes / 1440), hours = Math.floor((minutes % 1440) / 60), rest = minutes % 60;
  if (days) return `${days} ${page.days} ${hours} ${page.hours}`;
  return hours ? `${hours} ${page.hours} ${rest} ${page.min}` : `${rest} ${page.min}`;
}

function count() {
  for (const clock of document.querySelectorAll("[data-due]")) {
    const left = Number(clock.dataset.due) - Date.now() - ahead;
    const over = left < 0;
    clock.textContent = `${over ? page.over : clock.dataset.what} ${span(Math.floor(Math.abs(left) / 60000))}`;
    clock.classList.toggle("over", over);
    clock.classList.toggle("urgent", !over && left < 15 * 60000);
    clock.classList.toggle("calm", !over && left >= 15 * 60000);
  }
}

async function look() {
  try {
    const answer = await fetch("/pulse", { cache: "no-store" });
    if (answer.status === 401) return location.replace("/login?ended");
    const changed = document.getElementById("changed");
    if (changed && answer.ok) changed.hidden = (await answer.json()).pulse === page.pulse;
  } catch {
    // The desk is closed: the next click says so.
  }
}

count();
setInterval(count, 10000);
setInterval(look, 20000);
