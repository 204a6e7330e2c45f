# Locks, daemons and leases for `cluster`, which sources this. It knows no service by name:
# $runs/SERVICE/ holds what there is to know, and is gone when the service is.
#
#   processes    a line a daemon: NAME PID START_TIME
#   leases       a line a process that the service was started for: PID START_TIME
#   watcher      PID START_TIME of the background process that waits for their end
#   kept         exists if the service was also started without a lease
#   ready        exists once it has been seen to work

# shellcheck shell=bash
# shellcheck disable=SC2154 # runs, here and the bounds are set by cluster

# ---- One command at a time. The lock is on this folder, so no lock file is left behind.
# ---- Whatever outlives the command must not inherit it: 9>&-.

lock() { # SECONDS, or nothing to wait without end
  exec 9<"$here"
  flock -n 9 && return
  flock ${1:+-w "$1"} 9 || die 1 "another cluster command has not ended within $1 s"
}
unlock() { exec 9<&-; }

# ---- Processes. A pid is used again some day; with its start time it names one process.

start_time() { # PID -> clock ticks since boot; fails if it is gone
  local stat fields threads
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return
  read -r -a fields <<<"${stat##*) }" # past the name, which may hold anything
  # A zombie is gone, unless some of its threads still are on their way out, holding its ports.
  threads=("/proc/$1/task"/*)
  [[ ${fields[0]} != [ZX] || ${#threads[@]} -gt 1 ]] && echo "${fields[19]}"
}
alive() { [[ $2 && $(start_time "$1") == "$2" ]]; } # PID START_TIME

launch() { # SERVICE NAME COMMAND...: a daemon, noted in the service's `processes`, if it is not up
  local run=$runs/$1 name=$2
  if grep -qs "^$name " "$run/processes"; then return; fi
  shift 2
  (cd "$run" && exec setsid "$@") >>"$run/$name.log" 2>&1 </dev/null 9>&- &
  echo "$name $! $(start_time $!)" >>"$run/processes"
}

living() { # SERVICE -> the pids of its daemons
  local name pid start
  [[ -f $runs/$1/processes ]] || return 0
  while read -r name pid start; do
    if alive "$pid" "$start"; then echo "$pid"; fi
  done <"$runs/$1/processes"
}
complete() { # SERVICE: do all its daemons live?
  local processes=$runs/$1/processes
  [[ -f $processes && $(living "$1" | wc -l) == $(wc -l <"$processes") ]]
}

forget_dead() { # SERVICE: has launch() start them again
  local name pid start
  while read -r name pid start; do
    if alive "$pid" "$start"; then echo "$name $pid $start"; fi
  done <"$runs/$1/processes" >"$runs/$1/processes.new"
  mv "$runs/$1/processes.new" "$runs/$1/processes"
  rm -f "$runs/$1/ready"
}

halt() { # SERVICE: ends its daemons, keeps its data
  local pids tick
  for ((tick = 0; ; tick++)); do
    mapfile -t pids < <(living "$1")
    ((${#pids[@]})) || break
    if ((tick == 0)); then
      kill -TERM "${pids[@]}" 2>/dev/null || true
    elif ((tick == term_seconds * 10)); then
      kill -KILL "${pids[@]}" 2>/dev/null || true
    elif ((tick == term_seconds * 20)); then
      die 1 "$1 does not end, not even when killed: pid ${pids[*]}"
    fi
    sleep 0.1
  done
  rm -f "$runs/$1/processes" "$runs/$1/ready"
}

stop() { # SERVICE: ends everything of it and deletes all but the jars
  local run=$runs/$1 watcher start
  halt "$1"
  if read -r watcher start 2>/dev/null <"$run/watcher" && ((watcher != $$)) && alive "$watcher" "$start"; then
    kill "$watcher" 2>/dev/null || true
  fi
  rm -rf "$run"
  rmdir "$runs" 2>/dev/null || true
}

# ---- Leases: a service started with --until-exit ends with the last process it was started for.

leased() { # SERVICE
  local pid start
  while read -r pid start; do
    if alive "$pid" "$start"; then return 0; fi
  done 2>/dev/null <"$runs/$1/leases"
  return 1
}

lease() { # SERVICE PID START_TIME
  local run=$runs/$1 watcher start
  echo "$2 $3" >>"$run/leases"
  if read -r watcher start 2>/dev/null <"$run/watcher" && alive "$watcher" "$start"; then return; fi
  setsid "$here/cluster" watch "$1" </dev/null >/dev/null 2>&1 9>&- &
  echo "$! $(start_time $!)" >"$run/watcher"
}

watch() { # SERVICE: runs in the background; decides only under the lock
  local run=$runs/$1 idle=0 watcher
  cd /
  while sleep 0.5; do
    if leased "$1"; then idle=0; else idle=$((idle + 1)); fi
    if ((idle < idle_seconds * 2)); then continue; fi
    lock
    read -r watcher _ 2>/dev/null <"$run/watcher" || exit 0
    if [[ $watcher != "$$" || -f $run/kept ]]; then exit 0; fi
    if ! leased "$1"; then stop "$1" && exit 0; fi
    unlock
  done
}
