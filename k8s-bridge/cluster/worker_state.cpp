#include "k8s-bridge/cluster/worker_state.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// An earlier control process's worker that has not come back by then does not come back.
constexpr micros orphan_after = 90 * micros_per_second;
/// The same where it has not even started.
constexpr micros unborn_after = 15 * micros_per_second;
/// What was made shows in the mirror by then, or is asked for.
constexpr micros shown_within = 10 * micros_per_second;
/// A pod that was asked to end and is still there then is killed; one that was killed and is still
/// there has no node that answers, and is struck from the list.
constexpr micros killed_after = 90 * micros_per_second;
constexpr micros forced_after = 30 * micros_per_second;
constexpr int at_once = 1;
constexpr int forced = 0;
constexpr int its_own = -1;

/// Deletes it, with ever less grace.
void remove(const observed_worker& x, int grace, micros now, worker_actions& to) {
  if (x.deleted_uid != x.pod->uid) {
    to.remove = grace;
    return;
  }
  const auto before = x.deleted_grace;
  const auto next_at = x.deleted_at + (before == its_own ? killed_after : forced_after);
  if (before == forced)
    return;
  if (before == its_own && grace == at_once)
    to.remove = at_once;
  else if (now >= next_at)
    to.remove = before == its_own ? at_once : forced;
  else
    to.again = std::min(to.again, next_at);
}

void with_pod(const observed_worker& x, micros now, worker_actions& to) {
  const auto& pod = *x.pod;
  if (pod.ended) {
    to.tell_end = x.wish != worker_wish::none && !x.told_end;
    remove(x, its_own, now, to);
    return;
  }
  // A second try to make it may have come behind the end of the first one's pod.
  if (x.told_end) {
    remove(x, at_once, now, to);
    return;
  }
  switch (x.wish) {
  case worker_wish::none: {
    const auto until = x.since + (pod.running ? orphan_after : unborn_after);
    if (pod.deleting || now >= until)
      remove(x, its_own, now, to);
    else
      to.again = until;
    return;
  }
  case worker_wish::run:
    to.tell_start = pod.running && !x.told_start;
    to.tell_problem = !pod.problem.empty() && pod.problem != x.told_problem;
    return;
  case worker_wish::end:
    remove(x, its_own, now, to);
    return;
  case worker_wish::kill:
    remove(x, at_once, now, to);
    return;
  }
}

void without_pod(const observed_worker& x, micros now, worker_actions& to) {
  if (x.wish == worker_wish::none || x.told_end) {
    to.forget = true;
    return;
  }
  if (!x.made) {
    if (x.wish == worker_wish::run)
      to.create = true;
    else
      to.tell_end = true; // nobody has made it
    return;
  }
  if (x.seen) {
    to.tell_end = true;
  } else if (now >= x.made_at + shown_within) {
    to.look = true;
  } else {
    to.again = x.made_at + shown_within;
  }
}

} // namespace

worker_actions desired_state(const observed_worker& x, micros now) {
  worker_actions to;
  if (!x.pods_known)
    return to;
  if (x.pod)
    with_pod(x, now, to);
  else
    without_pod(x, now, to);
  if (to.calls() && now < x.call_at) {
    to.create = to.look = false;
    to.remove.reset();
    to.again = std::min(to.again, x.call_at);
  }
  return to;
}

} // namespace ebb
