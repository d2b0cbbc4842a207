// SPDX-FileCopyrightText: hpcampus contributors
// SPDX-License-Identifier: BSD-3-Clause
// What the pages cannot do without a script: show how far autograding is while they are open, and copy a link.
'use strict'

const PAUSE_RUNNING = 2000
const PAUSE_QUIET = 10000
const PAUSE_AFTER_A_FAILURE = 20000

for (const note of document.querySelectorAll('[data-without-script]')) note.hidden = true

for (const button of document.querySelectorAll('[data-copy]')) {
  const field = document.getElementById(button.dataset.copy)
  const told = button.parentElement.querySelector('[data-copied]')
  button.hidden = false
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(field.value)
      told.textContent = 'Copied.'
    } catch {
      field.select()
      told.textContent = 'It is selected: copy it with Ctrl+C.'
    }
  })
}

function show (section, run) {
  let item = [...section.querySelectorAll('[data-run]')].find(each => each.dataset.run === run.run)
  if (!item) {
    let list = section.querySelector('.runs')
    if (!list) {
      list = document.createElement('ul')
      list.className = 'runs'
      section.querySelector('[data-runs]').replaceChildren(list)
    }
    item = document.createElement('li')
    item.dataset.run = run.run
    const name = document.createElement('b')
    name.textContent = run.assignment
    const bar = document.createElement('progress')
    bar.setAttribute('aria-label', `Autograding of ${run.assignment}`)
    const [words, message] = ['words', 'message'].map(part => {
      const span = document.createElement('span')
      span.dataset.part = part
      return span
    })
    message.className = 'note'
    item.append(name, bar, words, message)
    list.prepend(item)
  }
  const bar = item.querySelector('progress')
  if (run.ended && item.dataset.running) {
    section.querySelector('[data-told]').textContent = `Autograding of ${run.assignment}: ${run.words}`
  }
  item.dataset.running = run.ended ? '' : 'yes'
  bar.max = run.total || 1
  bar.value = run.finished
  for (const part of ['words', 'message']) {
    const place = item.querySelector(`[data-part=${part}]`)
    if (place.textContent !== run[part]) place.textContent = run[part]
  }
}

async function follow (section) {
  let pause = PAUSE_AFTER_A_FAILURE
  try {
    const answer = await fetch(section.dataset.progress, { headers: { 'X-XSRFToken': section.dataset.token } })
    if (answer.ok) {
      const { runs } = await answer.json()
      for (const run of [...runs].reverse()) show(section, run)
      pause = runs.every(run => run.ended) ? PAUSE_QUIET : PAUSE_RUNNING
    }
  } catch {
    // The next try comes soon enough.
  }
  setTimeout(follow, pause, section)
}

for (const section of document.querySelectorAll('[data-progress]')) follow(section)
