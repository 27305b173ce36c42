-- Health of a DwsCluster or DwsSnapshot for Argo CD, judged from its conditions alone; the same for both kinds.
-- It keeps to the language and ipairs: scripts in argocd-cm run without the string library.

local function condition(kind)
  if obj.status ~= nil and obj.status.conditions ~= nil then
    for _, one in ipairs(obj.status.conditions) do
      if one.type == kind then
        return one
      end
    end
  end
  return nil
end

local function health(status, one)
  return { status = status, message = one.reason .. ": " .. one.message }
end

local ready = condition("Ready")
local synced = condition("Synced")
local reconciling = condition("Reconciling")
local stalled = condition("Stalled")

-- Argo CD says so of whatever is being deleted, and does not ask; other tools that run this script may.
if obj.metadata.deletionTimestamp ~= nil then
  if ready == nil then
    return { status = "Progressing", message = "Pending deletion" }
  end
  return health("Progressing", ready)
end

if ready == nil or synced == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "dws-operator has not looked at this version of the resource yet" }
end

-- Nothing will change until a person or another object does.
if stalled ~= nil and stalled.status == "True" then
  return health("Degraded", stalled)
end

-- Work goes on, or will by itself.
if reconciling ~= nil and reconciling.status == "True" then
  return health("Progressing", reconciling)
end

local off = synced.status == "False"
local nothing_made = ready.reason == "NotCreated" or ready.reason == "Paused"

if off and synced.reason == "Paused" and (ready.status == "True" or nothing_made) then
  return health("Suspended", synced)
end

if ready.status == "True" then
  -- The warehouse can be used. What it is not as the manifest says (drift, a refused password) stands in the message.
  if off then
    return health("Healthy", synced)
  end
  return health("Healthy", ready)
end

-- It cannot be used, and nothing of the operator's is under way.
local why = ready
if ready.reason == "NotCreated" then
  why = synced
end
local passing = {
  ConfirmingAbsence = true,
  Creating = true,
  Restarting = true,
  ServiceUnavailable = true,
  Throttled = true,
}
if passing[why.reason] then
  return health("Progressing", why)
end
if why.reason == "Unknown" then
  return health("Unknown", why)
end
return health("Degraded", why)
