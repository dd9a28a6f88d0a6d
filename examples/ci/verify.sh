#!/bin/sh
# Builds the accelerator of a model and verifies it: golden model, simulator and Verilator must
# agree on every word and every cycle of every stream. Any difference ends with a status other
# than 0.
#
#   verify.sh MODEL IMAGES [LABELS]
#
# MODEL is what `xnorflow build` takes, IMAGES an .npy array of inputs, LABELS an .npy array of
# their classes (the accuracy is then printed).
#
# From the environment:
#   XNORFLOW   the program                                     (default: xnorflow from PATH)
#   BOARD      the board                                       (default: pynq-z2)
#   FPS        frames a second to reach                        (default: as fast as fits)
#   FRAMES     images through Verilator                        (default: 20)
#   STALL      probability of gaps and stalls in a second run  (default: 0.3)
#   EXPECTED   an .npy file that `xnorflow infer --classes` wrote for IMAGES when the model was
#              last known to be right; every class must still be the same
#   OUT        where the output folder is kept                 (default: removed at the end)
set -eu

if [ "$#" -lt 2 ] || [ "$#" -gt 3 ]; then
    echo "usage: verify.sh MODEL IMAGES [LABELS]" >&2
    exit 2
fi
model=$1
images=$2
labels=${3:-}
xnorflow=${XNORFLOW:-xnorflow}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
out=${OUT:-$work/out}

echo "== inspect"
"$xnorflow" inspect "$model"

echo "== build"
"$xnorflow" build "$model" --board "${BOARD:-pynq-z2}" ${FPS:+--fps "$FPS"} -o "$out"

echo "== infer"
"$xnorflow" infer "$model" --input "$images" ${labels:+--labels "$labels"} \
    --classes --output "$work/classes.npy"
if [ -n "${EXPECTED:-}" ] && ! cmp "$EXPECTED" "$work/classes.npy"; then
    echo "the classes are not those of $EXPECTED" >&2
    exit 1
fi

echo "== verify, nothing waits"
"$xnorflow" verify "$out" --input "$images" --frames "${FRAMES:-20}"

echo "== verify, gaps and stalls"
"$xnorflow" verify "$out" --input "$images" --frames "${FRAMES:-20}" --stall "${STALL:-0.3}"

echo "verified: $model"
