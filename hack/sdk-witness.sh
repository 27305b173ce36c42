#!/usr/bin/env bash
# Drives the built simulator with Huawei Cloud's own Python SDK: the witness that the wire format is real.
# Needs python3 with venv and, the first time, PyPI; exits with 77 and a line that says so where one is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=hack/lib/common.sh
source hack/lib/common.sh

if ! command -v python3 >/dev/null; then
  echo "skipped: the vendor's SDK as witness, since python3 is missing (3.9 or later, with venv)"
  exit 77
fi

venv=$cache/sdk-witness
requirements=tests/sdk/requirements.txt
if ! cmp -s "$requirements" "$venv/installed.txt"; then
  rm -rf "$venv"
  mkdir -p "$venv"
  if ! python3 -m venv "$venv" >"$venv.log" 2>&1; then
    echo "skipped: the vendor's SDK as witness, since python3 has no venv (install python3-venv); see $venv.log"
    exit 77
  fi
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >"$venv.log" 2>&1; then
    echo "skipped: the vendor's SDK as witness, since it cannot be installed from PyPI; see $venv.log"
    exit 77
  fi
  cp "$requirements" "$venv/installed.txt"
fi

# One that is named is taken as it is; else the present state of the tree.
simulator="${DWS_SIMULATOR:-}"
if [ -z "$simulator" ]; then
  cargo build --quiet --locked --bin dws-simulator
  simulator="${CARGO_TARGET_DIR:-target}/debug/dws-simulator"
fi

work="$(mktemp -d)"
pid=
cleanup() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

# The defaults, whatever the environment says.
env -u HW_REGION_NAME -u HW_PROJECT_ID -u HW_PROJECT_NAME -u HW_ACCESS_KEY -u HW_SECRET_KEY -u HW_SECURITY_TOKEN \
  -u HW_DOMAIN_NAME -u HW_USER_NAME -u HW_USER_PASSWORD \
  "$simulator" --listen 127.0.0.1:0 --speed 200 --seed 1 >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 100); do
  endpoint="$(sed -n 's/^dws-simulator ready on //p' "$work/log")"
  [ -n "$endpoint" ] && break
  kill -0 "$pid" 2>/dev/null || { cat "$work/log"; exit 1; }
  sleep 0.1
done

# No proxy of the environment, no telemetry of the SDK's.
if ! env -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u all_proxy NO_PROXY='*' \
  "$venv/bin/python" tests/sdk/witness.py "$endpoint" >"$work/out" 2>&1; then
  cat "$work/out"
  echo "--- the simulator's log"
  tail -n 60 "$work/log"
  exit 1
fi
cat "$work/out"
figure="figure: sdk-witness: $(tail -n 1 "$work/out") (huaweicloudsdkdws and huaweicloudsdkiam $(sed -n 's/^huaweicloudsdkdws==//p' "$requirements"))"
echo "$figure"
mkdir -p target/figures
echo "$figure" >target/figures/sdk-witness
