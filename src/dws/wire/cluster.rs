//! A cluster as it travels (reference tables 5-10 and 5-19), and its way into the model.

use serde::Deserialize;

use super::lenient::{Int, Many, Maybe, Telling, Text, Texts};
use super::list::Wire;
use crate::dws::model::{
    Cluster, Endpoint, FailedReasons, MaintainWindow, ParameterGroup, PublicIp, ResizeInfo,
};
use crate::dws::time::timestamp;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterWire {
    id: Text,
    name: Text,
    status: Text,
    sub_status: Text,
    task_status: Telling,
    action_progress: Texts,
    node_type: Text,
    vpc_id: Text,
    subnet_id: Text,
    security_group_id: Text,
    availability_zone: Text,
    enterprise_project_id: Text,
    number_of_node: Int,
    port: Int,
    user_name: Text,
    version: Text,
    public_ip: Maybe<PublicIpWire>,
    endpoints: Many<Maybe<EndpointWire>>,
    public_endpoints: Many<Maybe<EndpointWire>>,
    created: Text,
    updated: Text,
    recent_event: Int,
    tags: Many<Maybe<TagWire>>,
    failed_reasons: Maybe<FailedReasonsWire>,
    private_ip: Many<Text>,
    maintain_window: Maybe<MaintainWindowWire>,
    resize_info: Maybe<ResizeInfoWire>,
    parameter_group: Maybe<ParameterGroupWire>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PublicIpWire {
    public_bind_type: Text,
    eip_id: Text,
    eip_address: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct EndpointWire {
    connect_info: Text,
    public_connect_info: Text,
    jdbc_url: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TagWire {
    key: Text,
    value: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FailedReasonsWire {
    error_code: Text,
    error_msg: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MaintainWindowWire {
    day: Text,
    start_time: Text,
    end_time: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ResizeInfoWire {
    target_node_num: Int,
    origin_node_num: Int,
    resize_status: Text,
    status: Text,
    start_time: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ParameterGroupWire {
    id: Text,
    name: Text,
    status: Text,
}

impl Wire for ClusterWire {
    type Model = Cluster;

    /// `None` without an id; whole with name and status as well, and where it is told whether a task runs.
    fn into_model(self) -> Option<(Cluster, bool)> {
        let id = self.id.0.filter(|id| !id.trim().is_empty())?;
        let whole = self.name.0.is_some() && self.status.0.is_some() && !self.task_status.odd;
        let cluster = Cluster {
            id,
            name: self.name.0.unwrap_or_default(),
            status: self.status.0.unwrap_or_default(),
            sub_status: self.sub_status.0,
            task_status: self.task_status.text,
            action_progress: self.action_progress.0,
            node_type: self.node_type.0,
            vpc_id: self.vpc_id.0,
            subnet_id: self.subnet_id.0,
            security_group_id: self.security_group_id.0,
            availability_zone: self.availability_zone.0,
            enterprise_project_id: self.enterprise_project_id.0,
            node_count: self.number_of_node.i32(),
            port: self.port.i32(),
            user_name: self.user_name.0,
            version: self.version.0,
            public_ip: present(self.public_ip, |ip| PublicIp {
                public_bind_type: ip.public_bind_type.0,
                eip_id: ip.eip_id.0,
                eip_address: ip.eip_address.0,
            }),
            endpoints: endpoints(self.endpoints),
            public_endpoints: endpoints(self.public_endpoints),
            created_at: self.created.0.as_deref().and_then(timestamp),
            created: self.created.0,
            updated: self.updated.0,
            recent_events: self.recent_event.i32(),
            tags: members(self.tags)
                .filter_map(|tag| tag.key.0.map(|key| (key, tag.value.0)))
                .collect(),
            failed_reasons: present(self.failed_reasons, |reasons| FailedReasons {
                error_code: reasons.error_code.0,
                error_msg: reasons.error_msg.0,
            }),
            private_ips: self
                .private_ip
                .0
                .into_iter()
                .filter_map(|ip| ip.0)
                .collect(),
            maintain_window: present(self.maintain_window, |window| MaintainWindow {
                day: window.day.0,
                start_time: window.start_time.0,
                end_time: window.end_time.0,
            }),
            resize_info: present(self.resize_info, |info| ResizeInfo {
                target_node_num: info.target_node_num.i32(),
                origin_node_num: info.origin_node_num.i32(),
                resize_status: info.resize_status.0.or(info.status.0),
                start_time: info.start_time.0,
            }),
            parameter_group: present(self.parameter_group, |group| ParameterGroup {
                id: group.id.0,
                name: group.name.0,
                status: group.status.0,
            }),
        };
        Some((cluster, whole))
    }
}

/// An object that says something: `{}` and one whose every field is empty are as absent as null.
fn present<W, M: Default + PartialEq>(wire: Maybe<W>, model: impl FnOnce(W) -> M) -> Option<M> {
    wire.0.map(model).filter(|model| *model != M::default())
}

fn members<W>(list: Many<Maybe<W>>) -> impl Iterator<Item = W> {
    list.0.into_iter().filter_map(|member| member.0)
}

fn endpoints(list: Many<Maybe<EndpointWire>>) -> Vec<Endpoint> {
    members(list)
        .map(|wire| Endpoint {
            connect_info: wire.connect_info.0.or(wire.public_connect_info.0),
            jdbc_url: wire.jdbc_url.0,
        })
        .filter(|endpoint| *endpoint != Endpoint::default())
        .collect()
}
