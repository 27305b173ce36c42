// The first process of each Pod of `make test-e2e`: it holds the Pod's namespaces and does nothing.
module dws-operator/hack/node/pause

go 1.26.0
