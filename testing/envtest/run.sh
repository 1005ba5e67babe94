#!/bin/sh
# Runs the suite of a small controller-runtime operator against our own kube-apiserver and etcd. Needs Go.
set -eu
cd "$(dirname "$0")/operator"
KUBEBUILDER_ASSETS="$(node ../../../src/cmd/proa.ts envtest)" go test -count=1 -v ./...
