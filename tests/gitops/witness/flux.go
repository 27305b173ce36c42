package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

const group = "kustomize.toolkit.fluxcd.io"

// What Flux did with one object: created, configured, unchanged, deleted, skipped.
type change struct {
	Subject string `json:"subject"`
	Action  string `json:"action"`
}

// Does with the objects what the reconcile of a Kustomization does, with the options of kustomize-controller.
func flux(raw []json.RawMessage, verb, kubeconfig, limit string) ([]change, error) {
	objects := make([]*unstructured.Unstructured, 0, len(raw))
	for number, text := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("object %d: %w", number, err)
		}
		objects = append(objects, object)
	}
	timeout, err := time.ParseDuration(limit)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout+30*time.Second)
	defer cancel()
	manager, err := manager(kubeconfig)
	if err != nil {
		return nil, err
	}
	if err := normalize.UnstructuredList(objects); err != nil {
		return nil, err
	}
	manager.SetOwnerLabels(objects, "apps", "flux-system")
	var set *ssa.ChangeSet
	switch verb {
	case "apply", "force":
		options := applying()
		options.Force = verb == "force"
		options.WaitInterval = 200 * time.Millisecond
		set, err = manager.ApplyAllStaged(ctx, objects, options)
	case "wait":
		// The interval is kustomize-controller's, shortened.
		err = manager.Wait(objects, ssa.WaitOptions{Interval: 300 * time.Millisecond, Timeout: timeout, FailFast: true})
	case "prune":
		set, err = manager.DeleteAll(ctx, objects, ssa.DeleteOptions{
			PropagationPolicy: metav1.DeletePropagationBackground,
			Inclusions:        manager.GetOwnerLabels("apps", "flux-system"),
			Exclusions:        map[string]string{group + "/prune": "disabled", group + "/reconcile": "disabled"},
		})
	case "gone":
		err = manager.WaitForTermination(objects, ssa.WaitOptions{Interval: 300 * time.Millisecond, Timeout: timeout})
	default:
		err = fmt.Errorf("%q is none of apply, force, wait, prune, gone", verb)
	}
	if err != nil {
		return nil, err
	}
	changes := []change{}
	if set != nil {
		for _, one := range set.Entries {
			changes = append(changes, change{one.Subject, string(one.Action)})
		}
	}
	return changes, nil
}

func manager(kubeconfig string) (*ssa.ResourceManager, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 100, 200
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, http)
	if err != nil {
		return nil, err
	}
	access, err := client.New(config, client.Options{HTTPClient: http, Mapper: mapper})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(access, mapper, polling.Options{})
	return ssa.NewResourceManager(access, poller, ssa.Owner{Field: "kustomize-controller", Group: group}), nil
}

// What changes made with kubectl are undone, as kustomize-controller has it.
func applying() ssa.ApplyOptions {
	options := ssa.DefaultApplyOptions()
	options.ExclusionSelector = map[string]string{group + "/reconcile": "disabled", group + "/ssa": "Ignore"}
	options.IfNotPresentSelector = map[string]string{group + "/ssa": "IfNotPresent"}
	options.ForceSelector = map[string]string{group + "/force": "enabled"}
	options.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{corev1.LastAppliedConfigAnnotation},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationApply},
			{Name: "kubectl", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "before-first-apply", OperationType: metav1.ManagedFieldsOperationUpdate},
			{Name: "kustomize-controller", OperationType: metav1.ManagedFieldsOperationUpdate},
		},
		Exclusions: map[string]string{group + "/ssa": "Merge"},
	}
	return options
}
