package main

import (
	"encoding/json"
	"fmt"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/json"
)

// The kinds of Flux that our examples use, by their Go types.
func empty(kind metav1.TypeMeta) any {
	switch kind.APIVersion + "/" + kind.Kind {
	case kustomizev1.GroupVersion.String() + "/Kustomization":
		return &kustomizev1.Kustomization{}
	case helmv2.GroupVersion.String() + "/HelmRelease":
		return &helmv2.HelmRelease{}
	case sourcev1.GroupVersion.String() + "/GitRepository":
		return &sourcev1.GitRepository{}
	case sourcev1.GroupVersion.String() + "/OCIRepository":
		return &sourcev1.OCIRepository{}
	case sourcev1.GroupVersion.String() + "/HelmRepository":
		return &sourcev1.HelmRepository{}
	}
	return nil
}

// For each object what is wrong with it: an unknown or doubled field, a value of another type, an unknown kind.
func decode(raw []json.RawMessage) ([]string, error) {
	all := make([]string, 0, len(raw))
	for number, text := range raw {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(text, &kind); err != nil {
			return nil, fmt.Errorf("object %d: %w", number, err)
		}
		into := empty(kind)
		if into == nil {
			all = append(all, fmt.Sprintf("%s %s is no kind that is known here", kind.APIVersion, kind.Kind))
			continue
		}
		wrong := ""
		loose, err := strict.UnmarshalStrict(text, into)
		if err != nil {
			wrong = err.Error()
		}
		for _, one := range loose {
			wrong += one.Error() + "; "
		}
		all = append(all, wrong)
	}
	return all, nil
}
