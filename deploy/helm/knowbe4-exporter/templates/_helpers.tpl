{{- define "knowbe4-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "knowbe4-exporter.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "knowbe4-exporter.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "knowbe4-exporter.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "knowbe4-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "knowbe4-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "knowbe4-exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "knowbe4-exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "knowbe4-exporter.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "knowbe4-exporter.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "knowbe4-exporter.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The configuration file: the accounts as they stand in the values, with the path of the key for the secret. */}}
{{- define "knowbe4-exporter.config" -}}
{{- $accounts := list }}
{{- range .Values.accounts }}
{{- $account := omit . "existingSecret" }}
{{- $accounts = append $accounts (merge (dict "api_key_file" (printf "/run/secrets/knowbe4/%s" .name)) $account) }}
{{- end }}
{{- $config := dict "accounts" $accounts "stale_after" .Values.staleAfter }}
{{- with .Values.defaults }}
{{- $_ := set $config "defaults" . }}
{{- end }}
{{- if eq .Values.storage.type "postgresql" }}
{{- $_ := set $config "storage" (dict "url_file" "/run/secrets/postgresql/url") }}
{{- else }}
{{- $_ := set $config "storage" (dict "path" "/data") }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "knowbe4-exporter.podTemplate" -}}
metadata:
  labels:
    {{- include "knowbe4-exporter.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "knowbe4-exporter.config" . | sha256sum }}
    {{- if .Values.scrapeAnnotations }}
    prometheus.io/scrape: "true"
    prometheus.io/port: "10524"
    prometheus.io/path: /metrics
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "knowbe4-exporter.serviceAccountName" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: exporter
      image: {{ include "knowbe4-exporter.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config.file=/etc/knowbe4-exporter/knowbe4.yml
        - --log.level={{ .Values.log.level }}
        - --log.format={{ .Values.log.format }}
        {{- if .Values.webConfig.existingSecret }}
        - --web.config.file=/etc/knowbe4-exporter-web/web-config.yml
        {{- end }}
        {{- with .Values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or (eq .Values.storage.type "postgresql") .Values.extraEnv }}
      env:
        {{- if eq .Values.storage.type "postgresql" }}
        # The image names a path, which the database takes the place of.
        - name: KNOWBE4_EXPORTER_STORAGE_PATH
          value: ""
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - name: http-metrics
          containerPort: 10524
          protocol: TCP
      # Neither costs a request. Behind a web configuration only the program itself knows how to ask.
      {{- range $probe, $path := dict "livenessProbe" "/-/healthy" "readinessProbe" "/-/ready" }}
      {{ $probe }}:
        {{- if $.Values.webConfig.existingSecret }}
        {{- if eq $probe "livenessProbe" }}
        exec:
          command: [/knowbe4-exporter, health]
        {{- else }}
        tcpSocket:
          port: http-metrics
        {{- end }}
        {{- else }}
        httpGet:
          path: {{ $path }}
          port: http-metrics
        {{- end }}
        periodSeconds: {{ eq $probe "livenessProbe" | ternary 30 10 }}
        timeoutSeconds: 5
      {{- end }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/knowbe4-exporter
          readOnly: true
        - name: keys
          mountPath: /run/secrets/knowbe4
          readOnly: true
        {{- if eq .Values.storage.type "postgresql" }}
        - name: postgresql
          mountPath: /run/secrets/postgresql
          readOnly: true
        {{- if .Values.storage.postgresql.caSecret }}
        - name: postgresql-ca
          mountPath: /etc/postgresql-ca
          readOnly: true
        {{- end }}
        {{- else }}
        - name: data
          mountPath: /data
        {{- end }}
        {{- if .Values.webConfig.existingSecret }}
        - name: web-config
          mountPath: /etc/knowbe4-exporter-web
          readOnly: true
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "knowbe4-exporter.fullname" . }}
    - name: keys
      projected:
        defaultMode: 0440
        sources:
          {{- range .Values.accounts }}
          - secret:
              name: {{ .existingSecret.name }}
              items:
                - key: {{ .existingSecret.key }}
                  path: {{ .name }}
          {{- end }}
    {{- if eq .Values.storage.type "postgresql" }}
    - name: postgresql
      secret:
        secretName: {{ .Values.storage.postgresql.existingSecret.name }}
        defaultMode: 0440
        items:
          - key: {{ .Values.storage.postgresql.existingSecret.key }}
            path: url
    {{- with .Values.storage.postgresql.caSecret }}
    - name: postgresql-ca
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- end }}
    {{- with .Values.webConfig.existingSecret }}
    - name: web-config
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if eq .Values.storage.type "postgresql" }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "knowbe4-exporter.selectorLabels" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end }}
