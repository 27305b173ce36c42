//! New clusters: created from nothing (reference 5.1.1) or restored from a snapshot (5.2.5).
//!
//! It knows what such a request may ask for, in which order the checks go, and what comes into being.

use super::cluster::{Cluster, Content, Network, PublicIp, Secrets, State};
use super::task::TaskKind;
use super::tracked::Tracked;
use super::{Caller, World};
use crate::simulator::ledger::EffectKind;
use crate::simulator::refusal::{Refusal, refuse};
use crate::simulator::rules;

/// What a create asks for; `None` where the request does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Create {
    pub name: Option<String>,
    pub node_type: Option<String>,
    pub number_of_node: Option<i64>,
    pub number_of_cn: Option<i64>,
    pub network: NetworkWish,
    pub user_name: Option<String>,
    pub user_pwd: Option<String>,
    pub public_ip: Option<PublicIpWish>,
    pub enterprise_project_id: Option<String>,
}

/// What a restore asks for: nothing but the name is needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restore {
    pub name: Option<String>,
    pub network: NetworkWish,
    pub public_ip: Option<PublicIpWish>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkWish {
    pub vpc_id: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_id: Option<String>,
    pub availability_zone: Option<String>,
    pub port: Option<i64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct PublicIpWish {
    pub public_bind_type: Option<String>,
    pub eip_id: Option<String>,
}

const DEFAULT_PORT: u16 = 8000;

impl World {
    /// Accepts a create and gives the new id.
    pub(crate) fn create(&mut self, caller: &Caller, wish: &Create) -> Result<String, Refusal> {
        let name = self.free_name(&caller.project, wish.name.as_deref())?;
        let node_type = wish.node_type.clone().unwrap_or_default();
        if !self
            .settings
            .node_types
            .iter()
            .any(|known| known.spec_name == node_type)
        {
            return refuse("DWS.5006");
        }
        let nodes = node_count(wish.number_of_node)?;
        let network = self.network(&wish.network, None)?;
        let port = port(wish.network.port)?;
        let user_name = wish.user_name.clone().unwrap_or_default();
        rules::check_user(&user_name)?;
        let password = wish
            .user_pwd
            .as_deref()
            .ok_or_else(|| Refusal::of("DWS.5013"))?;
        rules::check_password(password, &user_name)?;
        let coordinators = coordinators(wish.number_of_cn, nodes)?;
        let public_ip = self.public_ip(wish.public_ip.as_ref())?;
        self.check_quota(&caller.project, nodes)?;
        if self.settings.sold_out.contains(&node_type) {
            return refuse("DWS.5200");
        }
        let fails = caller.fails || self.settings.sold_out_later.contains(&node_type);
        let content = Content {
            node_type,
            node_count: nodes,
            coordinator_count: coordinators,
            network,
            user_name,
            enterprise_project_id: wish
                .enterprise_project_id
                .clone()
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| "0".to_owned()),
            secrets: Secrets::new(password),
        };
        let serial = self.add_cluster(&caller.project, name, port, public_ip, content);
        self.record_of(serial, EffectKind::Create { nodes }, caller.by.clone());
        self.begin(serial, TaskKind::Create, fails);
        Ok(self.clusters[&serial].id.clone())
    }

    /// Accepts a restore and gives the id of the new cluster. It keeps the snapshot's flavour, size,
    /// administrator and password.
    pub(crate) fn restore(
        &mut self,
        caller: &Caller,
        snapshot_id: &str,
        wish: &Restore,
    ) -> Result<String, Refusal> {
        let source = self.find_snapshot(&caller.project, snapshot_id)?;
        let name = self.free_name(&caller.project, wish.name.as_deref())?;
        let snapshot = &self.snapshots[&source];
        match snapshot.state().status.as_str() {
            "AVAILABLE" | "RESTORING" => {}
            "CREATING" => return Err(self.busy()),
            "FROZEN" | "POLICE_FROZEN" => return refuse("DWS.0020"),
            _ => return refuse("DWS.5095"),
        }
        let mut content = snapshot.content.clone();
        content.network = self.network(&wish.network, Some(&content.network))?;
        let port = port(wish.network.port)?;
        let public_ip = self.public_ip(wish.public_ip.as_ref())?;
        self.check_quota(&caller.project, content.node_count)?;
        if self.settings.sold_out.contains(&content.node_type) {
            return refuse("DWS.5200");
        }
        let fails = caller.fails || self.settings.sold_out_later.contains(&content.node_type);
        let nodes = content.node_count;
        let serial = self.add_cluster(&caller.project, name, port, public_ip, content);
        if let Some(snapshot) = self.snapshots.get_mut(&source) {
            snapshot.restores += 1;
        }
        if self.oddities.snapshot_restoring {
            self.edit_snapshot(source, |state| "RESTORING".clone_into(&mut state.status));
        }
        let kind = EffectKind::Restore {
            snapshot_id: snapshot_id.to_owned(),
            nodes,
        };
        self.record_of(serial, kind, caller.by.clone());
        self.begin(serial, TaskKind::Restore { snapshot: source }, fails);
        Ok(self.clusters[&serial].id.clone())
    }

    pub(super) fn free_name(&self, project: &str, name: Option<&str>) -> Result<String, Refusal> {
        let name = name.filter(|name| rules::is_name(name));
        let name = name.ok_or_else(|| Refusal::of("DWS.5057"))?;
        let taken = self
            .projects
            .get(project)
            .is_some_and(|holdings| holdings.cluster_names.contains_key(name));
        if taken {
            return Err(Refusal::of("DWS.5050").detail(name));
        }
        Ok(name.to_owned())
    }

    fn network(&self, wish: &NetworkWish, default: Option<&Network>) -> Result<Network, Refusal> {
        let id = |wished: &Option<String>,
                  default: Option<&String>,
                  absent: &str,
                  malformed: &str,
                  missing: &str| {
            let Some(id) = wished.as_ref().filter(|id| !id.is_empty()).or(default) else {
                return refuse(absent);
            };
            if !rules::is_uuid(id) {
                return refuse(malformed);
            }
            if self.settings.missing.contains(id) {
                return refuse(missing);
            }
            Ok(id.clone())
        };
        let zones = &self.settings.availability_zones;
        let zone = match wish
            .availability_zone
            .as_ref()
            .filter(|zone| !zone.is_empty())
        {
            Some(zone) if !zones.contains(zone) => return refuse("DWS.5012"),
            Some(zone) => zone.clone(),
            None => default
                .map(|network| network.availability_zone.clone())
                .or_else(|| zones.first().cloned())
                .unwrap_or_default(),
        };
        Ok(Network {
            vpc_id: id(
                &wish.vpc_id,
                default.map(|network| &network.vpc_id),
                "DWS.5014",
                "DWS.5014",
                "DWS.5021",
            )?,
            subnet_id: id(
                &wish.subnet_id,
                default.map(|network| &network.subnet_id),
                "DWS.5202",
                "DWS.5015",
                "DWS.5022",
            )?,
            security_group_id: id(
                &wish.security_group_id,
                default.map(|network| &network.security_group_id),
                "DWS.5203",
                "DWS.5016",
                "DWS.5023",
            )?,
            availability_zone: zone,
        })
    }

    /// An empty EIP id is none: the reference's own example sends one.
    fn public_ip(&mut self, wish: Option<&PublicIpWish>) -> Result<Option<PublicIp>, Refusal> {
        let Some(wish) = wish else { return Ok(None) };
        let eip = wish.eip_id.clone().filter(|id| !id.is_empty());
        let bind_type = wish.public_bind_type.clone().unwrap_or_default();
        let eip_id = match bind_type.as_str() {
            "not_use" => None,
            "auto_assign" => Some(self.uuid()),
            "bind_existing" => {
                let id = eip
                    .filter(|id| rules::is_uuid(id))
                    .ok_or_else(|| Refusal::of("DWS.5133"))?;
                if self.settings.missing.contains(&id) {
                    return refuse("DWS.5135");
                }
                if self.eips.contains_key(&id) {
                    return Err(Refusal::of("DWS.5133").detail("already bound"));
                }
                Some(id)
            }
            _ => return refuse("DWS.5098"),
        };
        let address = eip_id
            .as_ref()
            .map(|_| format!("203.0.113.{}", 1 + self.serial % 254));
        Ok(Some(PublicIp {
            bind_type,
            eip_id,
            address,
        }))
    }

    pub(super) fn check_quota(&self, project: &str, more: u32) -> Result<(), Refusal> {
        let used = self
            .projects
            .get(project)
            .map_or(0, |holdings| holdings.nodes);
        if used.saturating_add(more) > self.settings.node_quota {
            let quota = format!("quota {}, used {used}", self.settings.node_quota);
            return Err(Refusal::of("DWS.5091").detail(&quota));
        }
        Ok(())
    }

    fn add_cluster(
        &mut self,
        project: &str,
        name: String,
        port: u16,
        public_ip: Option<PublicIp>,
        content: Content,
    ) -> u64 {
        let serial = self.next_serial();
        let id = self.uuid();
        let holdings = self.projects.entry(project.to_owned()).or_default();
        holdings.clusters.insert(serial);
        holdings.cluster_names.insert(name.clone(), serial);
        holdings.nodes += content.node_count;
        self.cluster_ids.insert(id.clone(), serial);
        if let Some(eip) = public_ip.as_ref().and_then(|ip| ip.eip_id.clone()) {
            self.eips.insert(eip, serial);
        }
        let state = State {
            name,
            status: "CREATING".to_owned(),
            sub_status: None,
            task_status: None,
            progress: None,
            node_type: content.node_type,
            node_count: content.node_count,
            coordinator_count: content.coordinator_count,
            network: content.network,
            port,
            user_name: content.user_name,
            enterprise_project_id: content.enterprise_project_id,
            public_ip,
            resize: None,
            failure: None,
            updated: self.now,
            recent_events: 0,
        };
        let cluster = Cluster {
            serial,
            id,
            project_id: project.to_owned(),
            created: self.now,
            state: Tracked::new(self.now, state),
            task: None,
            secrets: content.secrets,
            busy_until: None,
            rendered: None,
        };
        self.clusters.insert(serial, cluster);
        serial
    }
}

pub(super) fn node_count(wished: Option<i64>) -> Result<u32, Refusal> {
    wished
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| (2..=256).contains(count))
        .ok_or_else(|| Refusal::of("DWS.5047"))
}

fn port(wished: Option<i64>) -> Result<u16, Refusal> {
    match wished {
        None => Ok(DEFAULT_PORT),
        Some(port) => u16::try_from(port)
            .ok()
            .filter(|port| (8000..=30_000).contains(port))
            .ok_or_else(|| Refusal::of("DWS.5038").detail("port")),
    }
}

/// 2-20 and at most the nodes: the reference says nodes minus one, today's service nodes. Default 3, or as many
/// as there are nodes.
fn coordinators(wished: Option<i64>, nodes: u32) -> Result<u32, Refusal> {
    match wished {
        None => Ok(nodes.min(3)),
        Some(count) => u32::try_from(count)
            .ok()
            .filter(|count| (2..=nodes.min(20)).contains(count))
            .ok_or_else(|| Refusal::of("DWS.5038").detail("number_of_cn")),
    }
}
