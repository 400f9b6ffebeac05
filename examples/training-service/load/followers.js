/** Clients that follow jobs by their events, and behave badly: they vanish, or stop reading. */
import http from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** Milliseconds that one of them stays. */
const stay = 1000

/** @returns how many streams were opened, until the signal is aborted */
export async function runFollowers(url, count, signal) {
  let opened = 0
  const follower = async () => {
    while (!signal.aborted) {
      try {
        const { jobs } = await (await fetch(`${url}/jobs?limit=20`)).json()
        const job = jobs[Math.floor(Math.random() * jobs.length)]
        if (job !== undefined) await follow(`${url}/jobs/${job.id}/events`)
        opened++
      } catch {
        // The service may be gone, which is what some tests are about.
      }
      await setTimeout(stay / 2)
    }
  }
  await Promise.all(Array.from({ length: count }, follower))
  return opened
}

/** Reads for a while, or does not read at all, and is gone. */
async function follow(url) {
  const request = http.get(url)
  request.on('error', () => {})
  request.on('response', (response) => {
    response.on('error', () => {})
    if (Math.random() < 0.5) response.resume()
  })
  await setTimeout(stay * Math.random())
  request.destroy()
}
