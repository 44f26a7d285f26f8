"""The manifests fit the schemas of Kubernetes' releases, and ask for no more than is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

MANIFESTS = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
# Sidecars proper came with 1.29.
RELEASES = ("1.29", "1.31")
NEEDED = {"BPF", "PERFMON", "SETUID", "SETGID"}

Object = dict[str, Any]


def objects() -> Iterator[tuple[Path, Object]]:
    for file in sorted(MANIFESTS.glob("*.yaml")):
        for one in yaml.safe_load_all(file.read_text()):
            yield file, one


def of_kind(*kinds: str) -> list[Object]:
    return [one for _, one in objects() if one["kind"] in kinds]


def exporters() -> list[tuple[Object, Object]]:
    """Each pod's description that has the exporter in it, and the exporter's container."""
    pods = [one["spec"]["template"]["spec"] for one in of_kind("DaemonSet", "Deployment")]
    return [
        (pod, container)
        for pod in pods
        for container in [*pod["containers"], *pod.get("initContainers", [])]
        if container["image"].startswith("pytracer-exporter:")
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_the_manifests_fit_the_schemas(release: str) -> None:
    checked = []
    for file, one in objects():
        if one["apiVersion"].split("/")[0] in ("monitoring.coreos.com", "kustomize.config.k8s.io"):
            continue
        kubernetes_validate.validate(one, release, strict=True)
        checked.append(f"{file.name} {one['kind']}")
    assert len(checked) == 5, checked


def test_pod_monitors_fit_what_the_operator_describes() -> None:
    schema = json.loads((Path(__file__).parent / "podmonitor.schema.json").read_text())
    monitors = of_kind("PodMonitor")
    assert len(monitors) == 2
    for one in monitors:
        jsonschema.validate(one, schema)


def test_the_schemas_see_a_misspelt_key() -> None:
    daemon = of_kind("DaemonSet")[0]
    daemon["spec"]["template"]["spec"]["hostPid"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(daemon, RELEASES[0], strict=True)


def test_the_exporter_asks_for_no_more_than_it_needs() -> None:
    assert len(exporters()) == 2
    for pod, container in exporters():
        context = container["securityContext"]
        assert context["capabilities"]["drop"] == ["ALL"]
        assert set(context["capabilities"]["add"]) == NEEDED
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert "privileged" not in context
        assert pod["automountServiceAccountToken"] is False
        assert not pod.get("hostNetwork") and not pod.get("hostIPC")
        for volume in pod["volumes"]:
            assert set(volume) - {"name"} <= {"emptyDir", "configMap", "hostPath"}
            assert volume.get("hostPath", {"path": "/sys/fs/cgroup"})["path"] == "/sys/fs/cgroup"
        for mount in container["volumeMounts"]:
            assert mount.get("readOnly") or mount["mountPath"] == "/var/cache/pytracer", mount


def test_only_the_daemon_set_sees_the_hosts_processes() -> None:
    shared = {one["kind"]: one["spec"]["template"]["spec"] for one in of_kind("Deployment")}
    assert of_kind("DaemonSet")[0]["spec"]["template"]["spec"]["hostPID"] is True
    assert "hostPID" not in shared["Deployment"]
    assert shared["Deployment"]["shareProcessNamespace"] is True


def test_what_scrapes_finds_what_is_served() -> None:
    """Port names, labels and annotations of one manifest are those that another looks for."""
    for one in of_kind("DaemonSet", "Deployment"):
        template = one["spec"]["template"]
        annotations = template["metadata"]["annotations"]
        (container,) = (c for p, c in exporters() if p == template["spec"])
        assert annotations["prometheus.io/port"] == str(container["ports"][0]["containerPort"])
        assert container["ports"][0]["name"] == "metrics"
        labels = template["metadata"]["labels"].items()
        assert any(
            m["spec"]["selector"]["matchLabels"].items() <= labels for m in of_kind("PodMonitor")
        )
    daemon = of_kind("DaemonSet")[0]["spec"]["template"]["metadata"]["labels"]
    policy = of_kind("NetworkPolicy")[0]["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= daemon.items()
    assert policy["ingress"][0]["ports"][0]["port"] == "metrics"
    listed = of_kind("Kustomization")[0]["resources"]
    assert all((MANIFESTS / name).exists() for name in listed)
