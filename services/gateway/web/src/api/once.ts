// Actions that must happen once, however often they are sent.

import { refused } from "./client";

const SAME_WISH_MS = 300_000; // what is asked later is meant anew, and an old answer must not stand for it
const unanswered = new Map<string, { key: string; at: number }>();

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Act under a key of its own. It stays with the subject until an answer came, for some minutes, even when the dialog is
 * closed and opened again: what is repeated after a lost answer is not done twice. The subject tells one wish from another: it holds what is sent,
 * and what the wish is about as it is now.
 */
export async function once<T>(subject: string, act: (key: string) => Promise<T>): Promise<T> {
  const last = unanswered.get(subject);
  const key = last && Date.now() - last.at < SAME_WISH_MS ? last.key : newKey();
  unanswered.set(subject, { key, at: Date.now() });
  try {
    const answer = await act(key);
    unanswered.delete(subject);
    return answer;
  } catch (error) {
    if (refused(error as Error)) unanswered.delete(subject);
    throw error;
  }
}
