// What Flux and Argo CD make of objects, by their own code.
//
//	witness health SCRIPT.lua   objects as a JSON array on stdin; for each the verdict of kstatus as Flux
//	                            uses it, and of the script in the Lua that Argo CD embeds
//	witness decode              objects of Flux's own kinds; for each an error, or nothing
//	witness flux VERB KUBECONFIG TIMEOUT   does with the objects what a Kustomization of Flux does: apply,
//	                            force (apply with spec.force), wait (spec.wait), prune, gone
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A verdict in one tool's words.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type verdicts struct {
	Kstatus verdict `json:"kstatus"`
	Argo    verdict `json:"argo"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(input, &raw); err != nil {
		return fmt.Errorf("stdin is not a JSON array: %w", err)
	}
	var said any
	switch {
	case len(arguments) == 2 && arguments[0] == "health":
		said, err = judge(raw, arguments[1])
	case len(arguments) == 1 && arguments[0] == "decode":
		said, err = decode(raw)
	case len(arguments) == 4 && arguments[0] == "flux":
		said, err = flux(raw, arguments[1], arguments[2], arguments[3])
	default:
		err = fmt.Errorf("usage: witness health SCRIPT.lua | decode | flux VERB KUBECONFIG TIMEOUT")
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}

func judge(raw []json.RawMessage, path string) ([]verdicts, error) {
	script, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := make([]verdicts, 0, len(raw))
	for number, text := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, fmt.Errorf("object %d: %w", number, err)
		}
		result, err := status.Compute(object)
		if err != nil {
			return nil, fmt.Errorf("object %d: kstatus: %w", number, err)
		}
		health, err := runLua(object, string(script))
		if err != nil {
			return nil, fmt.Errorf("object %d: Lua: %w", number, err)
		}
		all = append(all, verdicts{
			Kstatus: verdict{result.Status.String(), result.Message},
			Argo:    health,
		})
	}
	return all, nil
}

// The health script as Argo CD runs one of its ConfigMap: base, package and table libraries, one second, the
// object as the global `obj`. (Argo CD gives it os.time and os.date as well; this script has no use for them.)
func runLua(object *unstructured.Unstructured, script string) (verdict, error) {
	machine := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer machine.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
	} {
		call := lua.P{Fn: machine.NewFunction(library.open), NRet: 0, Protect: true}
		if err := machine.CallByParam(call, lua.LString(library.name)); err != nil {
			return verdict{}, err
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	machine.SetContext(limit)
	machine.SetGlobal("obj", value(machine, object.Object))
	if err := machine.DoString(script); err != nil {
		return verdict{}, err
	}
	table, ok := machine.Get(-1).(*lua.LTable)
	if !ok {
		return verdict{}, fmt.Errorf("it returns a %s, not a table", machine.Get(-1).Type())
	}
	said := verdict{lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))}
	switch said.Status {
	case "Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown":
		return said, nil
	}
	return verdict{}, fmt.Errorf("%q is no health that Argo CD knows", said.Status)
}

func value(machine *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case bool:
		return lua.LBool(from)
	case string:
		return lua.LString(from)
	case int64:
		return lua.LNumber(from)
	case float64:
		return lua.LNumber(from)
	case []any:
		list := machine.CreateTable(len(from), 0)
		for _, item := range from {
			list.Append(value(machine, item))
		}
		return list
	case map[string]any:
		table := machine.CreateTable(0, len(from))
		for key, item := range from {
			table.RawSetString(key, value(machine, item))
		}
		return table
	}
	return lua.LNil
}
