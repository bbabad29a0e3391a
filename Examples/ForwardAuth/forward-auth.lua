-- SPDX-License-Identifier: MIT
-- Asks Portcullis before HAProxy passes a request on: http-request lua.forward-auth. HAProxy 2.6 or later.

local gate = os.getenv("FORWARD_AUTH_URL") or "http://127.0.0.1:8080/_auth"
local identity = "x-portcullis-"
-- Fields of one connection, and those that describe the request.
local own = { connection = true, expect = true, host = true, te = true, trailer = true, upgrade = true,
              ["content-length"] = true, ["keep-alive"] = true, ["proxy-connection"] = true,
              ["transfer-encoding"] = true, ["x-original-host"] = true, ["x-original-method"] = true,
              ["x-original-uri"] = true }

-- Servers may read X_Portcullis_Subject and X.Portcullis.Subject as X-Portcullis-Subject.
local function folded(name)
    return (name:lower():gsub("[^a-z0-9]", "-"))
end

-- HAProxy counts the values of a field from 0.
local function list(values)
    local result = {}
    for index = 0, #values do result[index + 1] = values[index] end
    return result
end

local function ask(txn)
    local question = {}
    local fields = txn.http:req_get_headers()
    for name, values in pairs(fields) do
        if folded(name):sub(1, #identity) == identity then
            txn.http:req_del_header(name)
        elseif not own[folded(name)] then
            question[name] = list(values)
        end
    end
    question["x-original-uri"] = { txn.f:pathq() }
    question["x-original-method"] = { txn.f:method() }
    question["x-original-host"] = fields.host and list(fields.host) or {}
    local answer = core.httpclient():get { url = gate, headers = question, timeout = 5000 }
    if answer == nil or answer.status < 200 then
        txn:done(txn:reply { status = 503, headers = { ["cache-control"] = { "no-store" } } })
    elseif answer.status == 200 then
        -- The API needs no token: it has the identity.
        txn.http:req_del_header("authorization")
        txn.http:req_del_header("dpop")
        for name, values in pairs(answer.headers) do
            if name:sub(1, #identity) == identity then txn.http:req_set_header(name, values[0]) end
        end
        if answer.headers[identity .. "resource"][0] ~= "" then txn:set_var("txn.guarded", "1") end
        if answer.headers["dpop-nonce"] then txn:set_var("txn.dpop_nonce", answer.headers["dpop-nonce"][0]) end
    else
        local refusal = {}
        for name, values in pairs(answer.headers) do
            if not own[name] then refusal[name] = list(values) end
        end
        txn:done(txn:reply { status = answer.status, headers = refusal, body = answer.body })
    end
end

core.register_action("forward-auth", { "http-req" }, ask)
