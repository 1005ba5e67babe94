// A small operator in the way of kubebuilder, tested in the way of envtest: what KUBEBUILDER_ASSETS holds is the cluster.
package operator

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

var greetingKind = schema.GroupVersionKind{Group: "example.org", Version: "v1", Kind: "Greeting"}

func newGreeting() *unstructured.Unstructured {
	greeting := &unstructured.Unstructured{}
	greeting.SetGroupVersionKind(greetingKind)
	return greeting
}

// greeter writes each Greeting's text into a ConfigMap that it owns, and says in the status that it did.
type greeter struct{ client.Client }

func (g *greeter) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	greeting := newGreeting()
	if err := g.Get(ctx, request.NamespacedName, greeting); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	text, _, _ := unstructured.NestedString(greeting.Object, "spec", "text")
	note := &corev1.ConfigMap{}
	note.Namespace, note.Name = request.Namespace, request.Name
	if _, err := controllerutil.CreateOrUpdate(ctx, g.Client, note, func() error {
		note.Data = map[string]string{"text": text}
		return controllerutil.SetControllerReference(greeting, note, g.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	before := greeting.DeepCopy()
	if err := unstructured.SetNestedField(greeting.Object, true, "status", "written"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, g.Status().Patch(ctx, greeting, client.MergeFrom(before))
}

func TestOperator(t *testing.T) {
	started := time.Now()
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("crds")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	}()
	t.Logf("control plane ready after %s (assets: %s)", time.Since(started), os.Getenv("KUBEBUILDER_ASSETS"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	manager, err := ctrl.NewManager(config, ctrl.Options{Metrics: server.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := ctrl.NewControllerManagedBy(manager).Named("greeter").For(newGreeting()).Owns(&corev1.ConfigMap{}).
		Complete(&greeter{manager.GetClient()}); err != nil {
		t.Fatal(err)
	}
	go func() { _ = manager.Start(ctx) }()
	direct, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}

	t.Run("refuses a greeting of the wrong type", func(t *testing.T) {
		wrong := newGreeting()
		wrong.SetNamespace("default")
		wrong.SetName("wrong")
		wrong.Object["spec"] = map[string]any{"text": int64(3)}
		if err := direct.Create(ctx, wrong); !apierrors.IsInvalid(err) {
			t.Fatalf("expected an Invalid error, got %v", err)
		}
	})
	t.Run("writes what a greeting says", func(t *testing.T) {
		greeting := newGreeting()
		greeting.SetNamespace("default")
		greeting.SetName("hello")
		greeting.Object["spec"] = map[string]any{"text": "hello, world"}
		if err := direct.Create(ctx, greeting); err != nil {
			t.Fatal(err)
		}
		key := client.ObjectKeyFromObject(greeting)
		eventually(t, func() bool {
			note := &corev1.ConfigMap{}
			return direct.Get(ctx, key, note) == nil && note.Data["text"] == "hello, world" && len(note.OwnerReferences) == 1
		})
		eventually(t, func() bool {
			if direct.Get(ctx, key, greeting) != nil {
				return false
			}
			written, _, _ := unstructured.NestedBool(greeting.Object, "status", "written")
			return written
		})
		if greeting.GetGeneration() != 1 {
			t.Fatalf("a status counts as no new generation: %d", greeting.GetGeneration())
		}
	})
	t.Run("follows a change", func(t *testing.T) {
		greeting := newGreeting()
		key := client.ObjectKey{Namespace: "default", Name: "hello"}
		if err := direct.Get(ctx, key, greeting); err != nil {
			t.Fatal(err)
		}
		before := greeting.DeepCopy()
		_ = unstructured.SetNestedField(greeting.Object, "good bye", "spec", "text")
		if err := direct.Patch(ctx, greeting, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			note := &corev1.ConfigMap{}
			return direct.Get(ctx, key, note) == nil && note.Data["text"] == "good bye"
		})
	})
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatal("never came true")
}
