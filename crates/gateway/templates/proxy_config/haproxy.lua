-- Asks Counterfoil about requests for app "{{ view.app }}". Written by `counterfoil proxy-config haproxy --app {{ view.app }}`.

local DECISION = "http://{{ view.decision }}/authz/forward-auth/{{ view.app }}"

-- Set on the request from every 2xx, also where they are empty. Cookie comes without our own.
local TOLD = { {{ told }}, "cookie" }

-- What a browser needs of a denial.
local DENIAL = { "location", "content-type", "cache-control", "retry-after", "set-cookie", "vary", "www-authenticate" }

-- About the connection or the body, not about the request; and what is set below.
local LEFT_OUT = {
    ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true,
    ["transfer-encoding"] = true, ["upgrade"] = true, ["expect"] = true, ["content-length"] = true, ["host"] = true,
}

-- A header's values come as a table that counts from 0.
local function lines(values)
    local list = {}
    for index = 0, #values do list[#list + 1] = values[index] end
    return list
end

local function question(txn)
    local headers = {}
    local sent = txn.http:req_get_headers()
    for name, values in pairs(sent) do
        if not LEFT_OUT[name] and not name:find("^x%-forwarded%-") then headers[name] = lines(values) end
    end
    headers["x-forwarded-method"] = { txn.sf:method() }
    headers["x-forwarded-uri"] = { txn.sf:pathq() }
    headers["x-forwarded-host"] = sent["host"] and lines(sent["host"]) or {}
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    headers["x-forwarded-for"] = { txn.sf:src() }
    return headers
end

local function deny(txn, status, headers, body)
    txn:done(txn:reply({ status = status, headers = headers, body = body }))
end

local function unavailable(txn)
    local headers = { ["content-type"] = { "text/plain" }, ["cache-control"] = { "no-store" }, ["retry-after"] = { "5" } }
    deny(txn, 503, headers, "Not available at the moment. Please try again in a few seconds.\n")
end

core.register_action("counterfoil_{{ view.word }}", { "http-req" }, function(txn)
    local answer = core.httpclient():get({ url = DECISION, headers = question(txn), timeout = 10000 })
    if not answer or not answer.headers or answer.status < 200 then
        return unavailable(txn)
    end
    if answer.status < 300 then
        for _, name in ipairs(TOLD) do
            local values = answer.headers[name]
            txn.http:req_del_header(name)
            if values then txn.http:req_set_header(name, values[0]) end
        end
        local cookie = answer.headers["set-cookie"]
        if cookie then txn:set_var("txn.counterfoil_set_cookie", cookie[0]) end
        txn:set_var("txn.counterfoil_allowed", true)
        return
    end
    if answer.status >= 500 then
        return unavailable(txn)
    end
    local headers = {}
    for _, name in ipairs(DENIAL) do
        local values = answer.headers[name]
        if values then headers[name] = lines(values) end
    end
    deny(txn, answer.status, headers, answer.body)
end, 0)
