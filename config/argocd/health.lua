-- The health of Stores, Products, WhatsAppInstances and Suppressions for Argo CD; argocd-cm.yaml has it for each kind.
local health = {status = "Progressing", message = "Waiting for the operator to look at it"}
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return health
end
-- What only a person with a phone can do, or has stopped, keeps no sync from going on.
local waits = {Suspended = true, Pairing = true, PairingTimedOut = true, LoggedOut = true}
local goesOn = {Provisioning = true, RestoredFromBackup = true}
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" or condition.type == "Active" then
    health.message = condition.message
    if condition.status == "True" or condition.type == "Active" then
      health.status = "Healthy"
    elseif waits[condition.reason] then
      health.status = "Suspended"
    elseif goesOn[condition.reason] then
      health.status = "Progressing"
    else
      health.status = "Degraded"
    end
    return health
  end
end
return health
